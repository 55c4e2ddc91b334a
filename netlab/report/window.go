package report

import (
	"net/netip"
	"slices"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// window is a span of time that is drawn.
type window struct{ From, To time.Duration }

func (w window) len() time.Duration { return w.To - w.From }

// resetBins is into how many parts a picture's time is cut to count resets.
const resetBins = 18

// bins counts the times by part of the window.
func (w window) bins(times []time.Duration) [resetBins]int {
	var counts [resetBins]int
	for _, t := range times {
		if t >= w.From && t <= w.To {
			counts[min(int(float64(t-w.From)/float64(max(w.len(), 1))*resetBins), resetBins-1)]++
		}
	}
	return counts
}

// around is a window around the part of w in which most resets are, together with its
// neighbours that have some, if they are not most of w; false if that is no closer look
// than w itself.
func (w window) around(times []time.Duration) (window, bool) {
	counts := w.bins(times)
	most := 0
	for i, n := range counts {
		if n > counts[most] {
			most = i
		}
	}
	if counts[most] < 2 {
		return window{}, false
	}
	low, high := most, most
	for low > 0 && counts[low-1] > 0 {
		low--
	}
	for high < resetBins-1 && counts[high+1] > 0 {
		high++
	}
	if high-low+1 > resetBins/3 {
		low, high = most, most
	}
	part := float64(w.len()) / resetBins
	near := w.closely(times, window{w.From + time.Duration(part*float64(low)), w.From + time.Duration(part*float64(high+1))})
	return near, near.len() < w.len()/2
}

// closely is a window from the first to the last of the times, which are in order, that
// lie in a part of w, with a margin.
func (w window) closely(times []time.Duration, part window) window {
	first, last := part.To, part.From
	for _, t := range times {
		if t >= part.From && t <= part.To {
			first, last = min(first, t), t
		}
	}
	margin := max((last-first)/8, w.len()/2000, time.Microsecond)
	return window{max(first-margin, w.From), min(last+margin, w.To)}
}

// resetTimes are when a listener's connections were reset, in order, and how that is
// known: by the RSTs from its address at its host, or else anywhere; without a capture,
// by what the clients were told.
func resetTimes(e scenario.Evidence, host scenario.Witnessed, listener netip.AddrPort) (times []time.Duration, how string) {
	captured := false
	for _, h := range append([]scenario.Witnessed{host}, e.Hosts...) {
		if h.Packets == nil {
			continue
		}
		captured = true
		for _, p := range h.Packets {
			if s, ok := readSegment(p); ok && s.Has(scenario.RST) && from(host, listener, s.Source) {
				times = append(times, s.At)
			}
		}
		if times != nil || h.Host == host.Host {
			break
		}
	}
	how = "RSTs from its address"
	if !captured {
		how = "clients that were told ECONNRESET"
		for _, c := range e.Clients {
			if c.Errno == "ECONNRESET" && from(host, listener, unmap(c.Remote)) {
				times = append(times, c.At)
			}
		}
	}
	slices.Sort(times)
	return times, how
}

// from tells whether a is the address of a listener, which may listen on all addresses
// of its host.
func from(host scenario.Witnessed, listener, a netip.AddrPort) bool {
	if listener.Port() != a.Port() {
		return false
	}
	if !listener.Addr().IsUnspecified() {
		return listener.Addr().Unmap() == a.Addr()
	}
	return len(host.Addrs) == 0 || at(&host, a.Addr())
}
