package main

import (
	"context"
	"fmt"

	"github.com/rstlab/rstlab/netlab"
)

var fresh = question{
	name: "fresh", kind: kindFresh,
	clients: func(size) int { return freshAtATime },
	what:    "a new connection for each request, a second",
	figures: []figure{{"answered", "a second", true}, {"connections", "in all", true}},
	play:    playFresh,
	must:    func(a Answer) []Check { return []Check{a.atLeastTimes(0, 1, wrkName)} },
}

// freshAtATime is how many clients a tool has at a time. A client of ours is one
// connection, so that there is one swarm after another.
const freshAtATime = 100

// playFresh counts at the server, which closes each connection behind its answer: the
// answers, in the time from the first accept to the last one.
func playFresh(ctx context.Context, tb netlab.TB, t tool, z size) (sample, error) {
	s, err := newStage(tb)
	if err != nil {
		return sample{}, err
	}
	l := load{Kind: kindFresh, Clients: freshAtATime, For: z.fresh}
	if t.program == swarmProgram {
		l.Clients = z.freshSwarm
	}
	s.serve(serverPlan{Close: true})
	p, err := s.play(ctx, t, l)
	if err != nil {
		return sample{}, err
	}
	counted, err := s.stop()
	if err != nil || counted.Answered == 0 {
		return sample{Note: "no: no answer"}, err
	}
	if counted.Answered > counted.Accepted {
		return sample{}, fmt.Errorf("%d answers over %d connections, which were closed after one", counted.Answered, counted.Accepted)
	}
	got := sample{Values: []float64{float64(counted.Answered) / counted.Last.Seconds(), float64(counted.Accepted)}}
	if said, err := t.told(p.output); err == nil && said.Failed > 0 {
		got.Note = fmt.Sprintf("says that %d failed", said.Failed)
	}
	return got, nil
}
