package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// kit is what can play.
type kit struct {
	tools    []tool
	versions map[string]string // of the peers
	skipped  []string          // which peers are missing, and why
	folder   string            // of what npm has installed; empty: nothing
}

// autocannonPackage is what npm is asked for. Its name in the tables is autocannonName.
const (
	autocannonName    = "autocannon"
	autocannonPackage = "autocannon@8"
)

// installPatience bounds each call of a package manager.
const installPatience = 3 * time.Minute

// installed installs what is missing and can be had.
func installed(ctx context.Context, all []tool) (kit, error) {
	k := kit{versions: map[string]string{}}
	aptErr := k.installPackages(ctx, all)
	for _, t := range all {
		why := k.find(ctx, &t)
		switch {
		case ctx.Err() != nil:
			return k, errors.Join(context.Cause(ctx), k.remove())
		case why == nil:
			k.tools = append(k.tools, t)
		default:
			k.skipped = append(k.skipped, fmt.Sprintf("%s: %v", t.name, errors.Join(why, aptErr)))
		}
	}
	return k, nil
}

// installPackages installs the peers' packages that are missing, all in one call.
func (k kit) installPackages(ctx context.Context, all []tool) error {
	var missing []string
	for _, t := range all {
		if _, err := exec.LookPath(t.name); t.pack != "" && err != nil {
			missing = append(missing, t.pack)
		}
	}
	wanted := slices.ContainsFunc(all, func(t tool) bool { return t.name == autocannonName })
	if _, err := exec.LookPath("npm"); wanted && err != nil {
		missing = append(missing, "npm")
	}
	if missing == nil {
		return nil
	}
	cure := "as root type: apt-get install " + strings.Join(missing, " ")
	if _, err := exec.LookPath("apt-get"); err != nil || os.Getuid() != 0 {
		return errors.New(cure)
	}
	_, _ = output(ctx, "apt-get", "-q", "update") // the old lists may do
	_, err := output(ctx, "apt-get", append([]string{"-qy", "install", "--no-install-recommends"}, missing...)...)
	if err != nil {
		return fmt.Errorf("%w; %s", err, cure)
	}
	return nil
}

// find fills in where the tool is, and notes its version.
func (k *kit) find(ctx context.Context, t *tool) error {
	switch {
	case t.program != "": // ours
		return nil
	case t.name == autocannonName:
		return k.installAutocannon(ctx, t)
	}
	path, err := exec.LookPath(t.name)
	if err != nil {
		return err
	}
	t.program = path
	version, err := output(ctx, "dpkg-query", "-W", "-f", "${Version}", t.pack)
	if err != nil {
		version = "of unknown version" // where it was not installed as a package
	}
	k.versions[t.name] = strings.TrimSpace(version)
	return nil
}

// installAutocannon installs it into a folder that the kit removes.
func (k *kit) installAutocannon(ctx context.Context, t *tool) (err error) {
	if k.folder, err = os.MkdirTemp("", "rstlab-bench-npm-"); err != nil {
		return err
	}
	if _, err := output(ctx, "npm", "install", "--prefix", k.folder, "--no-audit", "--no-fund", "--loglevel", "error", autocannonPackage); err != nil {
		return err
	}
	t.program = filepath.Join(k.folder, "node_modules", ".bin", autocannonName)
	version, err := output(ctx, t.program, "--version")
	k.versions[t.name] = strings.TrimPrefix(strings.Join(strings.Fields(version), " "), autocannonName+" ")
	return err
}

// remove removes what npm has installed.
func (k kit) remove() error {
	if k.folder == "" {
		return nil
	}
	return os.RemoveAll(k.folder)
}

// output runs a program and returns what it prints. Its complaints are in the error.
func output(ctx context.Context, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, installPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	text, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(string(exit.Stderr)))
	}
	return string(text), err
}

// toolNamed finds one of the tools, which is there.
func toolNamed(tools []tool, name string) tool {
	return tools[slices.IndexFunc(tools, func(t tool) bool { return t.name == name })]
}
