package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Report is all that was measured, as JSON keeps it.
type Report struct {
	Command  string            `json:"command"`
	Date     string            `json:"date"` // such as 2026-01-31
	Kernel   string            `json:"kernel"`
	Go       string            `json:"go"`
	CPUs     int               `json:"cpus"`
	Rounds   int               `json:"rounds"`   // that were played to their end
	Versions map[string]string `json:"versions"` // of the peers
	Skipped  []string          `json:"skipped,omitempty"`
	Answers  []Answer          `json:"answers"`
}

func report(k kit) Report {
	return Report{
		Command: strings.Join(append([]string{"go run ./scripts/bench"}, os.Args[1:]...), " "),
		Date:    time.Now().UTC().Format(time.DateOnly), Kernel: kernelRelease(), Go: runtime.Version(), CPUs: runtime.NumCPU(),
		Versions: k.versions, Skipped: k.skipped,
	}
}

func kernelRelease() string {
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(uts.Release[:])
}

// holds tells whether everything holds that must.
func (r Report) holds() bool {
	for _, a := range r.Answers {
		for _, c := range a.Checks {
			if !c.Holds {
				return false
			}
		}
	}
	return true
}

// makeFiles makes the files that are to be written, so that a name that cannot be is known
// before anything is measured. What they hold stays until then.
func (o options) makeFiles() error {
	for _, name := range []string{o.json, o.markdown} {
		if name == "" {
			continue
		}
		file, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		if err := file.Close(); err != nil {
			return err
		}
	}
	return nil
}

// write writes the tables and the JSON to where they are wanted.
func (o options) write(r Report) error {
	var errs []error
	if text := r.markdown(); o.markdown == "" {
		fmt.Print(text)
	} else {
		errs = append(errs, os.WriteFile(o.markdown, []byte(text), 0o644))
	}
	if o.json != "" {
		errs = append(errs, writeJSON(o.json, r))
	}
	return errors.Join(errs...)
}
