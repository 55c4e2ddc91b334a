package main

import (
	"fmt"
	"math"
	"slices"
)

// Answer is what came of a question, as JSON keeps it.
type Answer struct {
	Question string   `json:"question"`
	What     string   `json:"what"`
	Figures  []figure `json:"figures"`
	Rows     []Row    `json:"rows"`
	Checks   []Check  `json:"checks"`
}

// figure is something that is measured.
type figure struct {
	Name string `json:"name"`
	Unit string `json:"unit,omitempty"`
	More bool   `json:"more,omitempty"` // the more the better
}

// Row is one tool's.
type Row struct {
	Tool    string    `json:"tool"`
	Samples []sample  `json:"samples"`
	Medians []float64 `json:"medians,omitempty"` // by figure; none: no sample has values
	Least   []float64 `json:"least,omitempty"`
	Most    []float64 `json:"most,omitempty"`
}

// sample is what one tool did in one round: a value for each figure, or why there is none.
type sample struct {
	Values []float64 `json:"values,omitempty"`
	Note   string    `json:"note,omitempty"` // also beside values
}

// Check is whether something holds that must, of a figure of ours.
type Check struct {
	Figure int    `json:"figure"`
	Must   string `json:"must"`
	Holds  bool   `json:"holds"`
}

// summarise works out the row's medians from its samples.
func (r *Row) summarise() {
	var with [][]float64
	for _, s := range r.Samples {
		if s.Values != nil {
			with = append(with, s.Values)
		}
	}
	r.Medians, r.Least, r.Most = nil, nil, nil
	if with == nil {
		return
	}
	for f := range with[0] {
		var values []float64
		for _, v := range with {
			values = append(values, v[f])
		}
		slices.Sort(values)
		n := len(values)
		r.Medians = append(r.Medians, (values[(n-1)/2]+values[n/2])/2)
		r.Least, r.Most = append(r.Least, values[0]), append(r.Most, values[n-1])
	}
}

// row is a tool's, if it has values.
func (a Answer) row(name string) (Row, bool) {
	i := slices.IndexFunc(a.Rows, func(r Row) bool { return r.Tool == name && r.Medians != nil })
	if i < 0 {
		return Row{}, false
	}
	return a.Rows[i], true
}

// bestPeer is the one of the others with the best median of a figure; false: there is
// none. Ours and the story's client are no peers, and wrk has a column of its own.
func (a Answer) bestPeer(f int) (best Row, found bool) {
	better := func(x, y float64) bool { return x < y }
	if a.Figures[f].More {
		better = func(x, y float64) bool { return x > y }
	}
	for _, r := range a.Rows {
		if r.Medians == nil || slices.Contains([]string{oursName, httpName, storyName, wrkName}, r.Tool) {
			continue
		}
		if !found || better(math.Abs(r.Medians[f]), math.Abs(best.Medians[f])) {
			best, found = r, true
		}
	}
	return best, found
}

// The checks below hold ours against something. Where ours was not measured in every
// round, or the other not at all, none holds.

func (a Answer) check(f int, must string, holds func(ours Row) bool) Check {
	ours, ok := a.row(oursName)
	for _, s := range ours.Samples {
		ok = ok && s.Values != nil
	}
	return Check{Figure: f, Must: must, Holds: ok && holds(ours)}
}

// atLeastTimes checks that ours is so many times another's, in the median.
func (a Answer) atLeastTimes(f int, times float64, other string) Check {
	theirs, measured := a.row(other)
	return a.check(f, fmt.Sprintf("≥ %v × %s", times, other), func(ours Row) bool {
		return measured && ours.Medians[f] >= times*theirs.Medians[f]
	})
}

// always checks that a figure has one value in every round.
func (a Answer) always(f, want int) Check {
	return a.check(f, fmt.Sprintf("%s, every time", digits(float64(want))), func(ours Row) bool {
		return ours.Least[f] == float64(want) && ours.Most[f] == float64(want)
	})
}

// within checks that a figure is no further from zero than that, in the median.
func (a Answer) within(f int, most float64) Check {
	return a.check(f, fmt.Sprintf("≤ %v", most), func(ours Row) bool { return math.Abs(ours.Medians[f]) <= most })
}
