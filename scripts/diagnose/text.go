package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/rstlab/rstlab/netlab/diagnose"
	"github.com/rstlab/rstlab/netlab/report"
)

// writer prints lines and keeps the first error.
type writer struct {
	to  io.Writer
	err error
}

func (w *writer) line(format string, args ...any) {
	if w.err == nil {
		_, w.err = fmt.Fprintf(w.to, format+"\n", args...)
	}
}

// text prints the report for somebody who has little time: the verdict first, then each
// cause with one typical connection, the books, and what the evidence lacks.
func text(to io.Writer, about string, r diagnose.Report) error {
	w := &writer{to: to}
	w.line("%s", about)
	verdict := report.Page{Diagnosis: r}.Verdict()
	w.line("%s", cmp.Or(verdict.Plain, "There is no TCP connection in it."))
	causes := ordered(r.Summary.Causes)
	w.summary(causes)
	for _, c := range causes {
		if c.Cause != diagnose.Healthy {
			w.cause(c, typical(r.Flows, c.Cause))
		}
	}
	w.books(r.Summary.Books)
	if len(r.Summary.Notes) > 0 {
		w.line("\nnotes")
	}
	for _, note := range r.Summary.Notes {
		w.line("  - %s", note)
	}
	return w.err
}

// ordered are the causes with healthy last.
func ordered(causes []diagnose.Count) []diagnose.Count {
	healthy := func(c diagnose.Count) bool { return c.Cause == diagnose.Healthy }
	return append(slices.DeleteFunc(slices.Clone(causes), healthy), slices.DeleteFunc(slices.Clone(causes), func(c diagnose.Count) bool { return !healthy(c) })...)
}

func (w *writer) summary(causes []diagnose.Count) {
	if len(causes) == 0 {
		return
	}
	w.line("")
	table := tabwriter.NewWriter(w.to, 0, 0, 2, ' ', 0)
	for _, c := range causes {
		line := fmt.Sprintf("%7d  %s\t%s\t", c.Flows, c.Cause, c.Grade)
		if c.Cure != "" {
			line += "cure: " + c.Cure
		}
		fmt.Fprintln(table, strings.TrimRight(line, "\t "))
	}
	w.err = cmp.Or(w.err, table.Flush())
}

// example is a typical connection of a cause.
type example struct {
	*diagnose.Flow
	like int // connections of the cause with the same shape
}

// typical is the first connection with the shape that most of a cause have.
func typical(flows []diagnose.Flow, cause diagnose.Cause) example {
	counts := map[string]int{}
	for i := range flows {
		if flows[i].Cause == cause {
			counts[flows[i].Shape]++
		}
	}
	var best example
	for i := range flows {
		if f := &flows[i]; f.Cause == cause && counts[f.Shape] > best.like {
			best = example{f, counts[f.Shape]}
		}
	}
	return best
}

func (w *writer) cause(c diagnose.Count, e example) {
	w.line("\n%s, %s (%s)", c.Cause, plural(c.Flows, "connection"), c.Grade)
	w.field("what", c.Cause.What())
	w.field("cure", c.Cure)
	if e.Flow == nil {
		return
	}
	for i, clue := range e.For {
		if i == 0 && strings.HasSuffix(clue.Text, e.Shape) { // the packets, which are shown by themselves
			w.field("typical", e.Name+where(clue))
			w.field("shape", fmt.Sprintf("%s   (%d of %d)", e.Shape, e.like, c.Flows))
			continue
		}
		w.field("for", clue.Text+where(clue))
	}
	for _, clue := range e.Against {
		w.field("against", clue.Text+where(clue))
	}
	for _, other := range e.Candidates[min(1, len(e.Candidates)):] {
		w.field("or", fmt.Sprintf("%s: %s", other, other.What()))
	}
	for _, x := range e.RuledOut {
		w.field("not", fmt.Sprintf("%s: %s", x.Cause, x.Why))
	}
	w.field("next", e.CaptureNext)
}

// field prints a line with a name in front, unless it is empty.
func (w *writer) field(name, text string) {
	if text != "" {
		w.line("  %-8s %s", name, text)
	}
}

// where tells which packet a clue is about.
func where(c diagnose.Clue) string {
	if c.Packet == 0 {
		return ""
	}
	return fmt.Sprintf(" (packet %d, at %v)", c.Packet, c.At.Round(time.Microsecond))
}

func (w *writer) books(entries []diagnose.Entry) {
	if len(entries) == 0 {
		return
	}
	w.line("\nbooks")
	table := tabwriter.NewWriter(w.to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  host\tcounter\tmoved\tunexplained\texplained by")
	for _, e := range entries {
		var by []string
		for _, cause := range slices.Sorted(maps.Keys(e.Explained)) {
			by = append(by, fmt.Sprintf("%s %d", cause, e.Explained[cause]))
		}
		line := fmt.Sprintf("  %s\t%s\t%d\t%d\t%s", e.Host, e.Counter, e.Moved, e.Unexplained, strings.Join(by, ", "))
		fmt.Fprintln(table, strings.TrimRight(line, "\t "))
	}
	w.err = cmp.Or(w.err, table.Flush())
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
