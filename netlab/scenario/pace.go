package scenario

import (
	"math/rand/v2"
	"time"
)

// Ramp is clients whose gaps grow or shrink evenly, from first between the first two to
// last between the last two. Fewer than three clients have the gap first.
func Ramp(clients int, first, last time.Duration) Arrivals {
	ramp := make(Arrivals, 0, max(0, clients))
	var at time.Duration
	for i := range clients {
		ramp = append(ramp, Wave{Clients: 1, At: at})
		gap := first
		if gaps := clients - 1; gaps > 1 {
			gap += time.Duration(float64(last-first) * float64(i) / float64(gaps-1))
		}
		at += gap
	}
	return ramp
}

// Poisson is clients that know nothing of one another: the gaps between them are random,
// exponentially distributed, and gap on average. The same seed gives the same arrivals,
// so log it.
func Poisson(clients int, gap time.Duration, seed uint64) Arrivals {
	random := rand.New(rand.NewPCG(seed, 0))
	arrivals := make(Arrivals, 0, max(0, clients))
	var at time.Duration
	for range clients {
		arrivals = append(arrivals, Wave{Clients: 1, At: at})
		at += time.Duration(random.ExpFloat64() * float64(gap))
	}
	return arrivals
}
