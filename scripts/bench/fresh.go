package main

import (
	"context"
	"fmt"
	"time"

	"github.com/rstlab/rstlab/netlab"
)

var fresh = question{
	name: "fresh", kind: kindFresh,
	what:    "a new connection for each request, a second",
	figures: []figure{{"answered", "a second"}, {"connections", "in all"}},
	play:    playFresh,
	must:    func(a Answer) []Check { return []Check{a.atLeastTimes(0, 1, "wrk")} },
}

// freshFor is how long a peer goes on, with so many clients at a time. A client of ours
// is one connection, so that they are as many as it takes.
const (
	freshFor     = 3 * time.Second
	freshAtATime = 100
)

// playFresh counts at the server, which closes each connection behind its answer: the
// answers, in the time from the first accept to the last one.
func playFresh(ctx context.Context, tb netlab.TB, t tool, z size) (sample, error) {
	s, err := newStage(tb)
	if err != nil {
		return sample{}, err
	}
	l := load{Kind: kindFresh, Clients: freshAtATime, For: freshFor}
	if t.program == swarmProgram {
		l.Clients = z.fresh
		s.client.AddAddrs(z.fresh / manyPorts)
		for _, addr := range s.client.Addrs() {
			l.Sources = append(l.Sources, addr)
		}
	}
	s.serve(serverPlan{Close: true})
	if _, err := s.play(ctx, t, l); err != nil {
		return sample{}, err
	}
	counted, err := s.stop()
	if err != nil || counted.Answered == 0 {
		return sample{Note: "no: no answer"}, err
	}
	if counted.Answered > counted.Accepted {
		return sample{}, fmt.Errorf("%d answers over %d connections, which were closed after one", counted.Answered, counted.Accepted)
	}
	return sample{Values: []float64{float64(counted.Answered) / counted.Last.Seconds(), float64(counted.Accepted)}}, nil
}

// manyPorts is how many clients share an address of theirs.
const manyPorts = 25_000
