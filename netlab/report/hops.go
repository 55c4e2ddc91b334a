package report

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/rstlab/rstlab/netlab/diagnose"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// hop is one segment on its way, as far as the captures show it.
type hop struct {
	segment
	FromClient bool
	Left       *time.Duration // when it passed the capture at its sender's end
	Came       *time.Duration // when it passed the one at its receiver's end
	Lost       bool           // both ends were captured, and it left and did not come
	Alien      bool           // both ends were captured, and it came and had not left
	Unanswered bool           // it wants an answer and got none
	order      int
}

// first is when the hop was first seen.
func (h hop) first() time.Duration {
	if h.Left != nil {
		return *h.Left
	}
	return *h.Came
}

// walk is a flow's segments at both of its ends. An end that was not captured is nil.
type walk struct {
	client, server *scenario.Witnessed
	hops           []hop
}

// follow finds the segments of a flow in the captures. Where no capture is at an end of
// the flow, the one that saw most of it counts as the client's.
func follow(f *diagnose.Flow, e scenario.Evidence) walk {
	var w walk
	var most *scenario.Witnessed
	seen := 0
	for i := range e.Hosts {
		h := &e.Hosts[i]
		if h.Packets == nil {
			continue
		}
		switch {
		case w.client == nil && at(h, f.Client.Addr()):
			w.client = h
		case w.server == nil && at(h, f.Server.Addr()):
			w.server = h
		}
		if n := len(segmentsOf(f, h)); n > seen {
			most, seen = h, n
		}
	}
	if w.client == nil && w.server == nil {
		w.client = most
	}
	w.join(f, segmentsOf(f, w.client), segmentsOf(f, w.server))
	w.findUnanswered()
	return w
}

func at(h *scenario.Witnessed, a netip.Addr) bool {
	return slices.ContainsFunc(h.Addrs, func(b netip.Addr) bool { return a.Unmap() == b.Unmap() })
}

// segmentsOf are those of a flow at a host, from its first packet to its last.
func segmentsOf(f *diagnose.Flow, h *scenario.Witnessed) []segment {
	if h == nil {
		return nil
	}
	client, server := unmap(f.Client), unmap(f.Server)
	var all []segment
	for _, p := range h.Packets {
		if f.Last > 0 && (p.At < f.First || p.At > f.Last) {
			continue
		}
		s, ok := readSegment(p)
		if ok && (s.Source == client && s.Target == server || s.Source == server && s.Target == client) {
			all = append(all, s)
		}
	}
	return all
}

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// join makes hops of the segments at both ends, in the order of their times.
func (w *walk) join(f *diagnose.Flow, client, server []segment) {
	w.oneWay(client, server, unmap(f.Client), true)
	w.oneWay(server, client, unmap(f.Server), false)
	slices.SortStableFunc(w.hops, func(a, b hop) int {
		return cmp.Or(cmp.Compare(a.first(), b.first()), cmp.Compare(a.order, b.order))
	})
}

// complete tells whether a segment that one end lacks did not pass there.
func (w *walk) complete() bool {
	return w.client != nil && w.server != nil && w.client.LetGo == 0 && w.server.LetGo == 0
}

// oneWay makes hops of the segments from one source. A segment that came is the last
// one like it that had left before.
func (w *walk) oneWay(sender, receiver []segment, source netip.AddrPort, fromClient bool) {
	begin := len(w.hops)
	for i, s := range sender {
		if s.Source == source {
			w.hops = append(w.hops, hop{segment: s, FromClient: fromClient, Left: &sender[i].At, Lost: w.complete(), order: i})
		}
	}
	for i, s := range receiver {
		if s.Source != source {
			continue
		}
		found := -1
		for j := begin; j < len(w.hops); j++ {
			if h := w.hops[j]; h.Left != nil && h.Came == nil && h.same() == s.same() && *h.Left <= s.At {
				found = j
			}
		}
		if found < 0 {
			w.hops = append(w.hops, hop{segment: s, FromClient: fromClient, Came: &receiver[i].At, Alien: w.complete(), order: i})
			continue
		}
		w.hops[found].Came, w.hops[found].Lost = &receiver[i].At, false
	}
}

// findUnanswered marks segments of the client that want an answer and got none before
// the client sent them again, or at all.
func (w *walk) findUnanswered() {
	for i := range w.hops {
		if h := &w.hops[i]; h.FromClient && !h.Lost && !h.Has(scenario.RST) && h.length() > 0 {
			h.Unanswered = !answered(h.segment, w.hops[i+1:])
		}
	}
}

func answered(s segment, later []hop) bool {
	for _, l := range later {
		switch {
		case l.FromClient && l.Seq == s.Seq && l.length() == s.length():
			return false
		case l.FromClient:
		case l.Has(scenario.RST), s.Has(scenario.SYN), !l.Has(scenario.SYN) && int32(l.Ack-s.Seq-uint32(s.length())) >= 0:
			return true
		}
	}
	return false
}
