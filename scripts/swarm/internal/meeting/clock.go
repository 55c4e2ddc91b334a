package meeting

import "time"

// exchange is one question for the time, each instant in nanoseconds of Unix time by the
// clock of whoever was there.
type exchange struct {
	sent     int64 // by the guest's clock
	received int64 // by the host's
	answered int64 // by the host's
	returned int64 // by the guest's
}

// ahead is by how much the guest's clock is ahead of the host's if both ways took equally
// long, and doubt by how much that may be wrong if they did not: half of the round trip.
//
// Source: RFC 5905, section 8, whose offset has the other sign.
func (e exchange) ahead() time.Duration {
	return time.Duration((e.sent-e.received)+(e.returned-e.answered)) / 2
}

func (e exchange) doubt() time.Duration {
	return (time.Duration((e.returned-e.sent)-(e.answered-e.received)) + 1) / 2
}

// best is the exchange that leaves the least doubt.
func best(all []exchange) exchange {
	least := all[0]
	for _, e := range all {
		if e.doubt() < least.doubt() {
			least = e
		}
	}
	return least
}
