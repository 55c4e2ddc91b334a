package main

import (
	"context"
	"fmt"

	"github.com/rstlab/rstlab/netlab"
)

var held = question{
	name: "held", kind: kindHeld,
	what:    "served connections a second, 10,000 held",
	figures: []figure{{"served", "conn/s"}},
	play:    playHeld,
	must: func(a Answer) []Check {
		return []Check{a.atLeastTimes(0, 6, storyName), a.atLeastTimes(0, 2, "wrk")}
	},
}

// playHeld counts at the server: connections that had an answer, in the time from the
// first accept to the last one's answer, if all were still open by then.
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
	return sample{Values: []float64{float64(z.held) / counted.Expected.Seconds()}}, nil
}

// notHeld tells why the connections were not n at the same time, each with an answer;
// empty: they were.
func (s served) notHeld(n int) string {
	switch {
	case s.Connections < n:
		return fmt.Sprintf("no: shares, %d connections had an answer", s.Connections)
	case s.Open < n:
		return fmt.Sprintf("no: closes early, %d were open at the last answer", s.Open)
	}
	return ""
}
