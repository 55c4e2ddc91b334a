package wire

import (
	"net/netip"
	"sync/atomic"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// Rule does something to the packets that match it. Rules are asked in the order in
// which they were made, and the first that matches decides.
type Rule struct {
	match  func(*Packet) bool
	action func(*Wire, *Rule, *Packet)
	held   []*Packet
	count  atomic.Int64
}

// Drop loses the packets that match.
func (w *Wire) Drop(match func(*Packet) bool) *Rule {
	return w.rule(match, func(*Wire, *Rule, *Packet) {})
}

// Hold keeps the packets that match until they are released.
func (w *Wire) Hold(match func(*Packet) bool) *Rule {
	return w.rule(match, func(_ *Wire, r *Rule, p *Packet) { r.held = append(r.held, p) })
}

// Duplicate carries the packets that match twice, one copy behind the other.
func (w *Wire) Duplicate(match func(*Packet) bool) *Rule {
	return w.rule(match, func(w *Wire, _ *Rule, p *Packet) {
		w.carry(p)
		w.carry(p)
	})
}

// Together lets n clients come as one: the server has a SYN of each before it has anything
// else of anybody's, as over a long way. What they send meanwhile is kept, and then
// travels in its order. SYNs that they repeat are lost until the rule is released.
//
// On a veth pair two CPUs that find room for one more in a queue at the same time both
// fill it. The wire takes up one packet after another, so that how many of the n find
// room is exact.
func (w *Wire) Together(n int) *Rule {
	seen := map[netip.AddrPort]bool{}
	return w.rule(func(p *Packet) bool { return p.From == Client }, func(w *Wire, r *Rule, p *Packet) {
		segment, _ := p.Segment()
		switch isSYN := segment.Flags&(scenario.SYN|scenario.ACK) == scenario.SYN; {
		case isSYN && seen[segment.Source]:
		case isSYN:
			seen[segment.Source] = true
			w.carry(p)
			if len(seen) == n {
				r.letGo(w)
			}
		case len(seen) < n:
			r.held = append(r.held, p)
		default:
			w.carry(p)
		}
	})
}

func (w *Wire) rule(match func(*Packet) bool, action func(*Wire, *Rule, *Packet)) *Rule {
	r := &Rule{match: match, action: action}
	w.rules = append(w.rules, r)
	return r
}

// Count is how many packets have matched. It is safe for concurrent use.
func (r *Rule) Count() int { return int(r.count.Load()) }

// Release ends a rule and lets the packets that it holds travel from now on, in the
// order in which they were sent.
func (w *Wire) Release(r *Rule) {
	for i, other := range w.rules {
		if other == r {
			w.rules = append(w.rules[:i:i], w.rules[i+1:]...)
			break
		}
	}
	r.letGo(w)
}

func (r *Rule) letGo(w *Wire) {
	for _, p := range r.held {
		w.carry(p)
	}
	r.held = nil
}

// Inject sends a packet as if a host had sent it: no rule is asked, and it arrives
// after the latency of the wire. Data is an IP packet with the right checksums.
func (w *Wire) Inject(from Side, data []byte) {
	p := &Packet{Sent: w.now, From: from, Data: w.arena.copy(data), Injected: true}
	w.packets = append(w.packets, p)
	w.carry(p)
}

// Packets lists what was sent since the wire was made or last played, in order. It is
// valid until the wire is played again.
func (w *Wire) Packets() []*Packet { return w.packets }
