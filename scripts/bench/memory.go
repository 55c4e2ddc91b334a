package main

import (
	"context"
	"fmt"

	"github.com/rstlab/rstlab/netlab"
)

var memory = question{
	name: "memory", kind: kindHeld,
	clients: func(z size) int { return z.held },
	what:    "client memory a connection, from 1,000 to 10,000 held",
	figures: []figure{{"slope", "bytes", false}, {"at 10,000", "MB", false}},
	play:    playMemory,
	must:    func(a Answer) []Check { return []Check{a.within(0, 256)} },
}

// withheldFor is how long all answers are kept back after the last request, while the
// tool's memory is looked at again and again: nobody is done with any connection before
// all are there.
const withheldFor = 15 * lookInterval

// playMemory is the difference of the tool's peaks of resident memory.
func playMemory(ctx context.Context, tb netlab.TB, t tool, z size) (sample, error) {
	few, why, err := peakWith(ctx, tb, t, z.held/10)
	if err != nil || why != "" {
		return sample{Note: why}, err
	}
	many, why, err := peakWith(ctx, tb, t, z.held)
	if err != nil || why != "" {
		return sample{Note: why}, err
	}
	return sample{Values: []float64{float64(many-few) / float64(z.held-z.held/10), float64(many) / 1e6}}, nil
}

// peakWith is the most memory that the tool has while it holds n connections.
func peakWith(ctx context.Context, tb netlab.TB, t tool, n int) (bytes int, why string, err error) {
	s, err := newStage(tb)
	if err != nil {
		return 0, "", err
	}
	s.serve(serverPlan{Expect: n, Withhold: withheldFor})
	p, err := s.play(ctx, t, load{Kind: kindHeld, Clients: n})
	if err != nil {
		return 0, "", err
	}
	counted, err := s.stop()
	if counted.Together < n {
		why = fmt.Sprintf("no: shares, %d of %d connections", counted.Together, n)
	}
	return p.Peak, why, err
}
