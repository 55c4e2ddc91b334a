package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// judge is nil if nothing differed that is not explained. What a kernel's calibration
// changes in a prediction makes no test fail, so what fails is not explained; nor is a
// test that says nothing of why it did not run, or is not there at all.
func judge(columns []column) error {
	var errs []error
	for _, c := range columns {
		if c.err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c.kernel, c.err))
		}
		for _, s := range suitesOf(columns) {
			r := c.find(s)
			if r == nil {
				errs = append(errs, fmt.Errorf("%s: the suite %s was not run", c.kernel, s))
				continue
			}
			for _, complaint := range r.unexplained(testsOf(columns, s)) {
				errs = append(errs, fmt.Errorf("%s: %s: %s", c.kernel, s, complaint))
			}
		}
	}
	return errors.Join(errs...)
}

// unexplained complains about a suite under one kernel. all are its tests under any.
func (r result) unexplained(all []string) []string {
	var complaints []string
	for _, name := range all {
		switch outcome := r.tests[name]; {
		case outcome == "fail":
			if !r.hasFailedChild(name) {
				complaints = append(complaints, fmt.Sprintf("%s failed\n%s", name, r.output[name]))
			}
		case outcome == "skip" && r.reason(name) == "":
			complaints = append(complaints, name+" is skipped without a reason")
		case outcome == "" && !numbered(name) && !r.skippedAbove(name):
			complaints = append(complaints, name+" ran under another kernel and is missing")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.output)) {
		if r.tests[name] == "" {
			complaints = append(complaints, name+" did not come to its end\n"+lastLines(r.output[name], 40))
		}
	}
	switch {
	case !r.ended:
		complaints = append(complaints, "it did not come to its end\n"+lastLines(r.whole, 40))
	case r.status != 0 && complaints == nil:
		complaints = append(complaints, fmt.Sprintf("it ended with status %d, and no test failed\n%s", r.status, lastLines(r.whole, 40)))
	case len(r.tests) == 0:
		complaints = append(complaints, "no test was run")
	}
	return complaints
}

func (r result) hasFailedChild(name string) bool {
	for other, outcome := range r.tests {
		if outcome == "fail" && strings.HasPrefix(other, name+"/") {
			return true
		}
	}
	return false
}

// skippedAbove tells whether a test is part of one that was skipped.
func (r result) skippedAbove(name string) bool {
	for {
		i := strings.LastIndexByte(name, '/')
		if i < 0 {
			return false
		}
		if name = name[:i]; r.tests[name] == "skip" {
			return true
		}
	}
}

// suitesOf lists the suites that were run under any kernel.
func suitesOf(columns []column) []string {
	var all []string
	for _, c := range columns {
		for _, r := range c.results {
			if !slices.Contains(all, r.suite) {
				all = append(all, r.suite)
			}
		}
	}
	return all
}

// testsOf lists a suite's tests under all kernels.
func testsOf(columns []column, suite string) []string {
	all := map[string]bool{}
	for _, c := range columns {
		if r := c.find(suite); r != nil {
			for name := range r.tests {
				all[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// numbered tells whether a test has a number for a name. Such tests share one work among
// them and are as many as there are CPUs, so one may be missing.
func numbered(name string) bool {
	last := name[strings.LastIndexByte(name, '/')+1:]
	return strings.Trim(last, "0123456789") == ""
}
