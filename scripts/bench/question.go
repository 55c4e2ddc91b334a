package main

import (
	"context"
	"time"

	"github.com/rstlab/rstlab/netlab"
)

// question is a line of the table.
type question struct {
	name    string
	what    string           // in words, with the size
	kind    string           // of load
	figures []figure         // of each sample
	clients func(z size) int // at a time
	play    func(ctx context.Context, tb netlab.TB, t tool, z size) (sample, error)
	must    func(a Answer) []Check

	oursOnly bool         // no peer plays it
	possible func() error // what it lacks here; nil: it takes nothing special
}

// size is how much is asked: the benchmark's, or a test's small one.
type size struct {
	held, freshSwarm, burst, paced, truth, million int           // clients
	fresh                                          time.Duration // how long
	perServer                                      int           // of the million, on average, since the kernel deals by a hash: a process may have 20,000 descriptors
}

// full is the size of the table.
var full = size{
	held: 10_000, freshSwarm: 5_000, fresh: 3 * time.Second, burst: 400, paced: 400, truth: 100, million: 1_000_000,
	perServer: 18_000,
}

// patience is how long a tool may take for anything.
const patience = time.Minute

var questions = []question{held, memory, fresh, burst, paced, truth, million}
