package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// column is a kernel and what came of its suites.
type column struct {
	kernel  string
	results []result
	err     error // its machine failed
}

// add reads what a suite left behind.
func (c *column) add(ctx context.Context, from []suite, sec section) {
	i := slices.IndexFunc(from, func(s suite) bool { return s.Name == sec.suite })
	if i < 0 {
		c.err = errors.Join(c.err, fmt.Errorf("a suite %q that was not asked for", sec.suite))
		return
	}
	events, err := toEvents(ctx, sec.output)
	if err == nil {
		var r result
		r, err = readResult(from[i], sec, bytes.NewReader(events))
		c.results = append(c.results, r)
	}
	c.err = errors.Join(c.err, err)
}

// find gives a suite's result; nil if it was not run.
func (c column) find(suite string) *result {
	for i := range c.results {
		if c.results[i].suite == suite {
			return &c.results[i]
		}
	}
	return nil
}

// table has a line for each kernel and suite, and below it what differed from the first
// column, which is this machine's.
func table(columns []column) string {
	var text, notes strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "kernel\tsuite\tpassed\ttook\tresult\tdiffers")
	n := 0
	for _, c := range columns {
		for _, r := range c.results {
			var marks []string
			for _, d := range differences(columns[0].find(r.suite), r) {
				n++
				marks = append(marks, fmt.Sprintf("[%d]", n))
				fmt.Fprintf(&notes, "[%d] %s, %s: %s\n", n, c.kernel, r.suite, d)
			}
			fmt.Fprintf(w, "%s\t%s\t%d of %d\t%v\t%s\t%s\n", c.kernel, r.suite, r.count("pass"), len(r.tests), r.took, r.headline, strings.Join(marks, " "))
		}
		if c.err != nil {
			fmt.Fprintf(w, "%s\t\t\t\tits machine failed\t\n", c.kernel)
		}
	}
	w.Flush()
	return text.String() + notes.String()
}

// differences are those of a result from the same suite's on this machine, which is nil
// if that was not run: what the calibration says, and what ran under one kernel only.
func differences(here *result, r result) []string {
	if here == nil {
		return nil
	}
	var all []string
	if r.measured != nil && here.measured != nil {
		all = calibrations(*here.measured, *r.measured)
	}
	notRun, added := map[string]int{}, map[string]int{}
	for name, outcome := range r.tests {
		switch {
		case outcome == "skip" && here.tests[name] != "skip":
			notRun[r.reason(name)]++
		case outcome != "skip" && here.tests[name] == "skip":
			added[here.reason(name)]++
		}
	}
	for _, why := range slices.Sorted(maps.Keys(notRun)) {
		all = append(all, fmt.Sprintf("not run: %d tests: %s", notRun[why], why))
	}
	for _, why := range slices.Sorted(maps.Keys(added)) {
		all = append(all, fmt.Sprintf("run in addition: %d tests, which this machine leaves out: %s", added[why], why))
	}
	return all
}

// calibrations says in words how a kernel's calibration differs from this machine's.
func calibrations(here, there scenario.Calibration) []string {
	var all []string
	differ := func(a, b any, what string) {
		if a != b {
			all = append(all, fmt.Sprintf(what, b, a))
		}
	}
	differ(here.SYNQueueExtra, there.SYNQueueExtra, "the SYN queue holds limit+%v half-open connections, here limit+%v")
	differ(here.LinearSYNTimeouts, there.LinearSYNTimeouts, "a client repeats its SYN %v times before it doubles the time, here %v times")
	differ(here.Tick, there.Tick, "a tick takes %v, here %v")
	return all
}
