package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// result is what came of a suite under one kernel.
type result struct {
	suite    string
	headline string            // its own words: "28 of 28 named, ..."
	tests    map[string]string // by name: "pass", "fail" or "skip"
	output   map[string]string // what each test printed
	whole    string            // what the binary printed outside its tests
	measured *scenario.Calibration
	ended    bool
	status   int
	took     time.Duration
}

// count tells how many tests had an outcome.
func (r result) count(outcome string) int {
	n := 0
	for _, its := range r.tests {
		if its == outcome {
			n++
		}
	}
	return n
}

// sum is a result in a line.
func (r result) sum() string {
	return fmt.Sprintf("%s: %d tests passed, %d failed, %d skipped, in %v: %s", r.suite, r.count("pass"), r.count("fail"), r.count("skip"), r.took, r.headline)
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

// event is a line that go tool test2json prints; see go doc test2json.
type event struct {
	Action, Test, Output string
}

// source is what testing puts in front of a line of a test's log.
var source = regexp.MustCompile(`^\s*\w+_test\.go:\d+: `)

// calibrated begins the line of a test's log that has a calibration in JSON.
const calibrated = "calibration: "

// readResult makes a result of the events of a suite.
func readResult(s suite, sec section, events io.Reader) (result, error) {
	r := result{suite: s.Name, tests: map[string]string{}, output: map[string]string{}, ended: sec.ended, status: sec.status, took: sec.took}
	for decoder := json.NewDecoder(events); ; {
		var e event
		if err := decoder.Decode(&e); errors.Is(err, io.EOF) {
			return r, nil
		} else if err != nil {
			return r, err
		}
		switch e.Action {
		case "pass", "fail", "skip":
			if e.Test != "" {
				r.tests[e.Test] = e.Action
			}
		case "output":
			if err := r.read(s, e); err != nil {
				return r, err
			}
		}
	}
}

func (r *result) read(s suite, e event) error {
	if e.Test == "" {
		r.whole += e.Output
		return nil
	}
	r.output[e.Test] += e.Output
	line := strings.TrimSpace(source.ReplaceAllString(e.Output, ""))
	if text, ok := strings.CutPrefix(line, s.headline); ok {
		r.headline, _, _ = strings.Cut(text, s.until)
	}
	if text, ok := strings.CutPrefix(line, calibrated); ok {
		r.measured = new(scenario.Calibration)
		return json.Unmarshal([]byte(text), r.measured)
	}
	return nil
}
