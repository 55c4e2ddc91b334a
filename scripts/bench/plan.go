package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// A role or a program is told its plan as JSON, in its only argument, and what comes of
// it stands as JSON in a file. Planned by these functions, neither needs flags.

// planArgs is the command line for a plan.
func planArgs(plan any) string {
	text, err := json.Marshal(plan)
	if err != nil {
		panic(err) // plans are plain values
	}
	return string(text)
}

// planOf reads it again.
func planOf[P any](args []string) (plan P, err error) {
	if len(args) != 1 {
		return plan, fmt.Errorf("got %d arguments, want the plan", len(args))
	}
	return plan, json.Unmarshal([]byte(args[0]), &plan)
}

// writeJSON keeps a value in a file.
func writeJSON(name string, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(name, append(text, '\n'), 0o644)
}

// readJSON reads it again.
func readJSON(name string, value any) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, value)
}
