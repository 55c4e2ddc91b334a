package main

import (
	"context"
	"fmt"
	"time"

	"github.com/rstlab/rstlab/netlab"
)

// pacedGap is between two clients.
const pacedGap = 20 * time.Millisecond

var paced = question{
	name: "paced", kind: kindPaced,
	clients: func(z size) int { return z.paced },
	what:    "400 clients 20 ms apart, by their SYNs",
	figures: []figure{{"p99 error", "µs", false}, {"drift of the last", "ms", false}, {"CPU", "%", false}},
	play:    playPaced,
	must: func(a Answer) []Check {
		return []Check{a.within(0, 100), a.within(1, 0.2), a.within(2, 5)}
	},
}

// playPaced holds the SYNs' times at the server against a plan that begins with the
// first.
func playPaced(ctx context.Context, tb netlab.TB, t tool, z size) (sample, error) {
	times, p, err := recordSYNs(ctx, tb, t, load{Kind: kindPaced, Clients: z.paced, Gap: pacedGap})
	if err != nil {
		return sample{}, err
	}
	if len(times) < z.paced {
		return sample{Note: fmt.Sprintf("no: shares, %d connections", len(times))}, nil
	}
	p99, drift := pace(times[:z.paced], pacedGap)
	return sample{Values: []float64{inMicroseconds(p99), inMilliseconds(drift), 100 * p.CPU.Seconds() / p.Wall.Seconds()}}, nil
}
