package main

import (
	"context"
	"os/exec"
	"slices"
)

// kit is what can play.
type kit struct {
	tools    []tool
	versions map[string]string
	skipped  []string
}

func installed(context.Context) (kit, error) {
	k := kit{versions: map[string]string{}}
	for _, t := range tools {
		if t.name == "autocannon" {
			t.program = "/tmp/d/npm/node_modules/.bin/autocannon"
		}
		if t.pack != "" {
			path, err := exec.LookPath(t.name)
			if err != nil {
				k.skipped = append(k.skipped, t.name)
				continue
			}
			t.program = path
		}
		k.tools = append(k.tools, t)
	}
	return k, nil
}

func (kit) remove() error { return nil }

func toolNamed(tools []tool, name string) tool {
	return tools[slices.IndexFunc(tools, func(t tool) bool { return t.name == name })]
}
