package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/rstlab/rstlab/loadclient"
)

// outputs are the files for a result; empty: none, "-": standard output.
type outputs struct{ json, csv string }

func (o *outputs) flags(flags *flag.FlagSet) {
	flags.StringVar(&o.json, "json", "", "write the result to this `file`, in one line; - is standard output")
	flags.StringVar(&o.csv, "csv", "", "write a line for each client to this `file`; - is standard output")
}

// takeStdout tells that words must go elsewhere.
func (o outputs) takeStdout() bool { return o.json == "-" || o.csv == "-" }

// writers are the outputs, open.
type writers struct {
	outputs
	toJSON, toCSV io.Writer // nil: not wanted
	files         []*os.File
}

// open opens the files before there is anything to write: to learn after a run that there
// is no place for its result would be late. What they hold stays until then.
func (o outputs) open(stdout io.Writer) (*writers, error) {
	w := &writers{outputs: o}
	for _, one := range []struct {
		name string
		to   *io.Writer
	}{{o.json, &w.toJSON}, {o.csv, &w.toCSV}} {
		switch one.name {
		case "":
		case "-":
			*one.to = stdout
		default:
			file, err := os.OpenFile(one.name, os.O_WRONLY|os.O_CREATE, 0o666)
			if err != nil {
				return nil, errors.Join(fmt.Errorf("make room for the result: %w", err), w.close())
			}
			w.files = append(w.files, file)
			*one.to = file
		}
	}
	return w, nil
}

func (w *writers) write(r loadclient.Result) error {
	var errs []error
	for _, file := range w.files {
		if err := file.Truncate(0); err != nil && !errors.Is(err, syscall.EINVAL) { // of a pipe or a terminal
			errs = append(errs, err)
		}
	}
	if w.toJSON != nil {
		errs = append(errs, json.NewEncoder(w.toJSON).Encode(r))
	}
	if w.toCSV != nil {
		errs = append(errs, r.WriteCSV(w.toCSV))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}

func (w *writers) close() error {
	var errs []error
	for _, file := range w.files {
		errs = append(errs, file.Close())
	}
	return errors.Join(errs...)
}

// tell prints what became of the clients, and what this machine had to do with it.
func tell(to io.Writer, r loadclient.Result) {
	fmt.Fprintln(to, r)
	if r.Stalls.Count == 0 {
		fmt.Fprintln(to, r.Stalls)
	}
}
