package main

import (
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// result is what came of a suite under one kernel.
type result struct {
	suite    string
	headline string            // its own words: "causes: 28 of 28 named, ..."
	tests    map[string]string // by name: "pass", "fail" or "skip"
	output   map[string]string // what each test printed
	whole    string            // what the binary printed outside its tests
	measured *scenario.Calibration
	ended    bool
	status   int
	took     time.Duration
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
	if strings.HasPrefix(line, s.headline) {
		r.headline = line
	}
	if text, ok := strings.CutPrefix(line, calibrated); ok {
		r.measured = new(scenario.Calibration)
		return json.Unmarshal([]byte(text), r.measured)
	}
	return nil
}
