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
	Figures  []string `json:"figures"` // with their units
	Rows     []Row    `json:"rows"`
	Checks   []Check  `json:"checks"`
}

// Row is one tool's.
type Row struct {
	Tool    string    `json:"tool"`
	Samples []sample  `json:"samples"`
	Medians []float64 `json:"medians,omitempty"` // by figure; none: no sample has values
	Least   []float64 `json:"least,omitempty"`
	Most    []float64 `json:"most,omitempty"`
}

// Check is whether something holds that must.
type Check struct {
	Must  string `json:"must"`
	Found string `json:"found"`
	Holds bool   `json:"holds"`
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

// median is a tool's for a figure; false: it has none.
func (a Answer) median(name string, figure int) (float64, bool) {
	for _, r := range a.Rows {
		if r.Tool == name && r.Medians != nil {
			return r.Medians[figure], true
		}
	}
	return 0, false
}

// atLeastTimes checks that ours is so many times another's, in the median.
func (a Answer) atLeastTimes(figure int, times float64, other string) Check {
	c := Check{Must: fmt.Sprintf("at least %v × %s", times, other)}
	ours, ok := a.median(oursName, figure)
	theirs, has := a.median(other, figure)
	if !ok || !has {
		c.Found = "not measured"
		return c
	}
	c.Found, c.Holds = fmt.Sprintf("%.2f × %s", ours/theirs, other), ours >= times*theirs
	return c
}

// always checks that a figure of ours has one value in every round.
func (a Answer) always(figure, want int) Check {
	c := Check{Must: fmt.Sprintf("%s: %d, every time", a.Figures[figure], want), Found: "not measured"}
	for _, r := range a.Rows {
		if r.Tool == oursName && r.Medians != nil {
			c.Found = fmt.Sprintf("%s to %s", digits(r.Least[figure]), digits(r.Most[figure]))
			c.Holds = r.Least[figure] == float64(want) && r.Most[figure] == float64(want)
		}
	}
	return c
}

// atMost checks that a figure of ours is no more than that, in the median.
func (a Answer) atMost(figure int, most float64) Check {
	c := Check{Must: fmt.Sprintf("%s: at most %v", a.Figures[figure], most)}
	ours, ok := a.median(oursName, figure)
	if !ok {
		c.Found = "not measured"
		return c
	}
	c.Found, c.Holds = digits(ours), ours <= most
	return c
}

// within checks that a figure of ours is that close to zero, in the median.
func (a Answer) within(figure int, most float64) Check {
	c := a.atMost(figure, most)
	ours, ok := a.median(oursName, figure)
	c.Must, c.Holds = fmt.Sprintf("%s: at most ±%v", a.Figures[figure], most), ok && math.Abs(ours) <= most
	return c
}
