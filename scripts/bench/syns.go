package main

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// firstSYNs are the times of each connection's first SYN, in their order, as the packets
// at a host tell. A SYN that is repeated does not count again.
func firstSYNs(packets []scenario.Packet) []time.Duration {
	seen := map[netip.AddrPort]bool{}
	var times []time.Duration
	for _, p := range packets {
		segment, ok := scenario.ReadSegment(p.Data)
		if !ok || segment.Flags&(scenario.SYN|scenario.ACK) != scenario.SYN || seen[segment.Source] {
			continue
		}
		seen[segment.Source] = true
		times = append(times, p.At)
	}
	slices.Sort(times)
	return times
}

// widthAndHole are from the first SYN to the last, and the longest time between two.
func widthAndHole(times []time.Duration) (width, hole time.Duration) {
	for i := 1; i < len(times); i++ {
		hole = max(hole, times[i]-times[i-1])
	}
	return times[len(times)-1] - times[0], hole
}

// pace is how far times are from a plan of one each gap, which begins with the first:
// the error that 99 of 100 do not exceed, early or late, and the last one's.
func pace(times []time.Duration, gap time.Duration) (p99, drift time.Duration) {
	errs := make([]time.Duration, len(times))
	for i, at := range times {
		errs[i] = at - times[0] - time.Duration(i)*gap
	}
	drift = errs[len(errs)-1]
	slices.SortFunc(errs, func(a, b time.Duration) int { return cmp.Compare(a.Abs(), b.Abs()) })
	return errs[int(math.Ceil(0.99*float64(len(errs))))-1].Abs(), drift
}

func inMilliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
func inMicroseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
