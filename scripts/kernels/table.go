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

// sum is a result in a few words.
func (r result) sum() string {
	counts := map[string]int{}
	for _, outcome := range r.tests {
		counts[outcome]++
	}
	text := fmt.Sprintf("%s: %d tests passed, %d failed, %d skipped, in %v", r.suite, counts["pass"], counts["fail"], counts["skip"], r.took)
	if r.headline != "" {
		text += "; " + r.headline
	}
	return text
}

// table has a line for each kernel and suite. The first column is this machine's.
func table(columns []column) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "kernel\tsuite\tpassed\ttook\tresult\twhat differed from this machine")
	for _, c := range columns {
		for _, r := range c.results {
			passed := 0
			for _, outcome := range r.tests {
				if outcome == "pass" {
					passed++
				}
			}
			fmt.Fprintf(w, "%s\t%s\t%d of %d\t%v\t%s\t%s\n", c.kernel, r.suite, passed, len(r.tests), r.took, cut(r.headline), strings.Join(differences(columns[0], c, r), "; "))
		}
		if c.err != nil {
			fmt.Fprintf(w, "%s\t\t\t\tfailed\t\n", c.kernel)
		}
	}
	w.Flush()
	return text.String()
}

// cut leaves a headline without its first word, which is the suite's, and without how
// long it took.
func cut(headline string) string {
	_, text, _ := strings.Cut(headline, ": ")
	text, _, _ = strings.Cut(text, " in a full")
	text, _, _ = strings.Cut(text, " scenarios equal in ")
	return text
}

// differences are those of a result from the same suite's on this machine: what its
// calibration says, and what ran on one of them only.
func differences(here, c column, r result) []string {
	base := here.find(r.suite)
	if base == nil {
		return nil
	}
	var all []string
	if r.measured != nil && base.measured != nil {
		a, b := *r.measured, *base.measured
		if a.SYNQueueExtra != b.SYNQueueExtra {
			all = append(all, fmt.Sprintf("the SYN queue holds limit+%d, here limit+%d", a.SYNQueueExtra, b.SYNQueueExtra))
		}
		if a.LinearSYNTimeouts != b.LinearSYNTimeouts {
			all = append(all, fmt.Sprintf("%d linear SYN time-outs, here %d", a.LinearSYNTimeouts, b.LinearSYNTimeouts))
		}
		if a.Tick != b.Tick {
			all = append(all, fmt.Sprintf("a tick of %v, here %v", a.Tick, b.Tick))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.tests)) {
		mine, its := base.tests[name], r.tests[name]
		switch {
		case its == "skip" && mine != "skip":
			all = append(all, fmt.Sprintf("%s is not run: %s", name, r.reason(name)))
		case its == "pass" && mine == "skip":
			all = append(all, fmt.Sprintf("%s is run, and not here: %s", name, base.reason(name)))
		}
	}
	return all
}

// reason is why a test was skipped, in its own words; empty if it has none.
func (r result) reason(name string) string {
	var lines []string
	for line := range strings.Lines(r.output[name]) {
		line = strings.TrimSpace(source.ReplaceAllString(line, ""))
		if line != "" && !strings.HasPrefix(line, "===") && !strings.HasPrefix(line, "---") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, " ")
}
