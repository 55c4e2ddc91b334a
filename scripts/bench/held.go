package main

import (
	"context"
	"fmt"

	"github.com/rstlab/rstlab/netlab"
)

var held = question{
	name: "held", kind: kindHeld,
	clients: func(z size) int { return z.held },
	what:    "served connections a second, 10,000 held",
	figures: []figure{{"served", "conn/s", true}, {"open at the last answer", "connections", true}},
	play:    playHeld,
	must: func(a Answer) []Check {
		return []Check{a.atLeastTimes(0, 6, storyName), a.atLeastTimes(0, 2, wrkName), a.always(1, full.held)}
	},
}

// nearlyAll is how much of the connections a tool must hold for a figure: net/http closes
// some of ten thousand, because it was slow to see that the request had been written.
//
// Source, checked on go1.26: maxWriteWaitBeforeConnReuse (net/http/transport.go).
const nearlyAll = 0.99

// playHeld counts at the server: connections that had an answer, in the time from the
// first accept to the last one's answer, if they were still open by then.
func playHeld(ctx context.Context, tb netlab.TB, t tool, z size) (sample, error) {
	s, err := newStage(tb)
	if err != nil {
		return sample{}, err
	}
	s.serve(serverPlan{Expect: z.held})
	if _, err := s.play(ctx, t, load{Kind: kindHeld, Clients: z.held}); err != nil {
		return sample{}, err
	}
	counted, err := s.stop()
	if err != nil {
		return sample{}, err
	}
	if why := counted.notHeld(z.held); why != "" {
		return sample{Note: why}, nil
	}
	return sample{Values: []float64{float64(z.held) / counted.Expected.Seconds(), float64(counted.Open)}}, nil
}

// notHeld tells why the connections were not n at the same time, each with an answer;
// empty: they were.
func (s served) notHeld(n int) string {
	switch {
	case s.Connections < n:
		return fmt.Sprintf("no: shares, %d connections had an answer", s.Connections)
	case float64(s.Open) < nearlyAll*float64(n):
		return fmt.Sprintf("no: closes early, %d were open at the last answer", s.Open)
	}
	return ""
}
