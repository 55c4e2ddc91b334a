package main

import (
	"context"
	"fmt"
	"time"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/witness"
)

var burst = question{
	name: "burst", kind: kindBurst,
	clients: func(z size) int { return z.burst },
	what:    "a burst of 400, first to last SYN",
	figures: []figure{{"width", "ms", false}, {"longest hole", "ms", false}},
	play:    playBurst,
	must:    func(a Answer) []Check { return []Check{a.within(0, 5), a.within(1, 1.5)} },
}

// playBurst takes the SYNs' times from the packets at the server.
func playBurst(ctx context.Context, tb netlab.TB, t tool, z size) (sample, error) {
	times, _, err := recordSYNs(ctx, tb, t, load{Kind: kindBurst, Clients: z.burst})
	if err != nil {
		return sample{}, err
	}
	if len(times) < z.burst {
		return sample{Note: fmt.Sprintf("no: shares, %d connections", len(times))}, nil
	}
	width, hole := widthAndHole(times[:z.burst])
	return sample{Values: []float64{inMilliseconds(width), inMilliseconds(hole)}}, nil
}

// recordSYNs has a tool play a load, and gives the times of the SYNs that reached the
// server, whatever else the tool did.
func recordSYNs(ctx context.Context, tb netlab.TB, t tool, l load) ([]time.Duration, played, error) {
	s, err := newStage(tb)
	if err != nil {
		return nil, played{}, err
	}
	s.serve(serverPlan{})
	recording := witness.Record(tb, witness.Config{SnapLength: synLength, MaxPackets: recordedPackets, Interval: seldom}, s.server)
	p, err := s.play(ctx, t, l)
	if err != nil {
		return nil, played{}, err
	}
	seen := recording.Stop().Hosts[0]
	if _, err := s.stop(); err != nil {
		return nil, played{}, err
	}
	return firstSYNs(seen.Packets), p, nil
}

// The headers of a SYN fit into so many bytes. All SYNs are within the first packets,
// also of a tool that goes on to ask.
const (
	synLength       = 80
	recordedPackets = 1 << 18

	seldom = time.Hour // between looks at the counters, which would take the processor from the tool
)
