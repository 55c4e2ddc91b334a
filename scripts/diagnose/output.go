package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/rstlab/rstlab/netlab/diagnose"
	"github.com/rstlab/rstlab/netlab/report"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// diagnose reads what was asked for and prints the report.
func (o options) diagnose(stdin io.Reader, stdout io.Writer) error {
	var moved *counters
	if o.before != "" {
		var err error
		if moved, err = readCounters(o.before, o.after); err != nil {
			return err
		}
	}
	c, err := o.read(stdin)
	if err != nil {
		return err
	}
	e := c.evidence(moved)
	c.ends = nil // not needed any more, and large
	r := diagnose.Run(e)
	r.Summary.Notes = slices.Concat(c.notes, r.Summary.Notes)
	buffered := bufio.NewWriterSize(stdout, 1<<16)
	switch {
	case o.json:
		err = writeJSON(buffered, r)
	case o.html != "":
		err = o.page(buffered, c.about(o.name()), e, r)
	default:
		err = text(buffered, c.about(o.name()), r)
	}
	return errors.Join(err, buffered.Flush())
}

// name is what the capture is called.
func (o options) name() string {
	if o.capture == "-" {
		return "standard input"
	}
	return o.capture
}

func (o options) read(stdin io.Reader) (*capture, error) {
	if o.capture != "-" {
		file, err := os.Open(o.capture)
		if err != nil {
			return nil, fmt.Errorf("read the capture: %w", err)
		}
		defer file.Close()
		stdin = file
	}
	c, err := read(stdin)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", o.name(), err)
	}
	return c, nil
}

// about tells what was read.
func (c *capture) about(name string) string {
	line := fmt.Sprintf("%s: %s in %v", printable(name), plural(c.records, "packet"), c.last.Round(time.Millisecond))
	if len(c.spots) > 1 {
		line += fmt.Sprintf(" at %d interfaces", len(c.spots))
	}
	return line
}

// writeJSON writes the report as JSON, one flow a line: a million packets make more
// than fits into memory as one text.
func writeJSON(to io.Writer, r diagnose.Report) error {
	if _, err := io.WriteString(to, `{"flows":[`); err != nil {
		return err
	}
	encoder := json.NewEncoder(to) // ends each value with a new line
	encoder.SetEscapeHTML(false)
	between := "\n"
	for _, f := range r.Flows {
		if _, err := io.WriteString(to, between); err != nil {
			return err
		}
		if err := encoder.Encode(f); err != nil {
			return err
		}
		between = ","
	}
	if _, err := io.WriteString(to, `],"summary":`); err != nil {
		return err
	}
	if err := encoder.Encode(r.Summary); err != nil {
		return err
	}
	_, err := io.WriteString(to, "}\n")
	return err
}

// page writes the HTML page, and the verdict to those who wait for it.
func (o options) page(to io.Writer, about string, e scenario.Evidence, r diagnose.Report) error {
	file, err := os.Create(o.html)
	if err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	page := report.Page{Title: "diagnosis of " + printable(o.name()), Evidence: e, Diagnosis: r, Environment: []report.Fact{{Name: "capture", Value: about}}}
	if err := errors.Join(page.HTML(file), file.Close()); err != nil {
		return err
	}
	w := &writer{to: to}
	w.line("%s", about)
	w.line("%s", page.Verdict().Plain)
	w.line("The page is %s", o.html)
	return w.err
}
