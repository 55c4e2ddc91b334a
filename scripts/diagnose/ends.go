package main

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// ends gathers where the addresses of a capture live.
type ends struct {
	seed               maphash.Seed
	outgoing, incoming map[netip.Addr]bool // sources of packets that left the capturing host, and that came to it
	distant            map[netip.Addr]bool // sources of SYNs and SYN-ACKs that came through a router
	begun              map[uint64]crossing // by the hash of an attempt, since there may be millions
	servers            map[netip.Addr]int  // connections that were begun to an address
	lower              map[netip.Addr]int  // packets at whose lower port an address stands
	votes              map[netip.Addr]map[*spot]int
}

// attempt is a SYN or a SYN-ACK, which other segments of its connection are not taken
// for.
type attempt struct {
	source, target netip.AddrPort
	seq            uint32
	ack            bool
}

// crossing is where and when one was seen.
type crossing struct {
	at   time.Duration
	spot *spot // nil: it was seen at another one too
}

func newEnds() *ends {
	return &ends{
		seed:     maphash.MakeSeed(),
		outgoing: map[netip.Addr]bool{}, incoming: map[netip.Addr]bool{}, begun: map[uint64]crossing{}, distant: map[netip.Addr]bool{},
		servers: map[netip.Addr]int{}, lower: map[netip.Addr]int{}, votes: map[netip.Addr]map[*spot]int{},
	}
}

// seen notes the direction of a packet, or of a copy of it.
func (e *ends) seen(g glance, way way) {
	source := g.source.Addr()
	switch {
	case way == out, source.IsLoopback(), source == g.target.Addr():
		e.outgoing[source] = true
	case way == in:
		e.incoming[source] = true
	}
}

// met notes a packet that is no copy.
func (e *ends) met(g glance, at *spot, when time.Duration) {
	low := g.target
	if g.source.Port() < g.target.Port() {
		low = g.source
	}
	e.lower[low.Addr()]++
	if !g.syn {
		return
	}
	if g.routed() {
		e.distant[g.source.Addr()] = true
	}
	id := maphash.Comparable(e.seed, attempt{g.source, g.target, g.seq, g.ack})
	c, ok := e.begun[id]
	switch {
	case !ok:
		e.begun[id] = crossing{when, at}
		if !g.ack {
			e.servers[g.target.Addr()]++
		}
	case c.spot != nil && c.spot != at && when > c.at:
		e.begun[id] = crossing{when, nil}
		e.vote(g.source.Addr(), c.spot)
		e.vote(g.target.Addr(), at)
	}
}

// vote is for an address to live beside an interface.
func (e *ends) vote(a netip.Addr, s *spot) {
	if e.votes[a] == nil {
		e.votes[a] = map[*spot]int{}
	}
	e.votes[a][s]++
}

// server is the address that most connections go to; where none begins in the capture,
// the one that stands most often at the lower port.
func (e *ends) server() (netip.Addr, bool) {
	from := e.servers
	if len(from) == 0 {
		from = e.lower
	}
	if len(from) == 0 {
		return netip.Addr{}, false
	}
	return slices.MaxFunc(slices.Collect(maps.Keys(from)), func(a, b netip.Addr) int {
		return cmp.Or(cmp.Compare(from[a], from[b]), b.Compare(a))
	}), true
}

// own are the addresses of the host that captured: those that packets left from and
// that none came from, which rules out what it only forwards.
func (e *ends) own() []netip.Addr {
	var all []netip.Addr
	for _, a := range slices.SortedFunc(maps.Keys(e.outgoing), netip.Addr.Compare) {
		if !e.incoming[a] {
			all = append(all, a)
		}
	}
	return all
}

// beside are the addresses that live beside an interface of several: their packets
// crossed it first, and those to them last.
func (e *ends) beside(s *spot) []netip.Addr {
	var all []netip.Addr
	for _, a := range slices.SortedFunc(maps.Keys(e.votes), netip.Addr.Compare) {
		best := true
		for other, n := range e.votes[a] {
			best = best && (other == s || n < e.votes[a][s])
		}
		if best && e.votes[a][s] > 0 {
			all = append(all, a)
		}
	}
	return all
}

// evidence is the capture for the diagnosis, with the counters if there are any.
func (c *capture) evidence(counters *counters) scenario.Evidence {
	var e scenario.Evidence
	for i, s := range c.spots {
		w := scenario.Witnessed{Host: "capture", Packets: s.packets}
		if len(c.spots) > 1 {
			w.Host, w.Addrs = cmp.Or(s.name, fmt.Sprintf("interface %d", i)), c.ends.beside(s)
		} else {
			w.Addrs = c.ends.own()
		}
		e.Hosts = append(e.Hosts, w)
	}
	if len(e.Hosts) == 0 {
		e.Hosts = []scenario.Witnessed{{Host: "capture", Packets: []scenario.Packet{}}}
	}
	if counters != nil {
		c.attribute(&e, counters)
	}
	return e
}

// attribute gives the counters to the server: to the place that is known to be its, or
// to the only place if nothing is known of it, or to one without a capture.
func (c *capture) attribute(e *scenario.Evidence, counters *counters) {
	samples := counters.around(c.last)
	server, ok := c.ends.server()
	if !ok {
		c.note("the capture has no TCP segment that would tell whose the counters are")
		e.Hosts = append(e.Hosts, scenario.Witnessed{Host: "server", Counters: samples})
		return
	}
	place := slices.IndexFunc(e.Hosts, func(w scenario.Witnessed) bool { return slices.Contains(w.Addrs, server) })
	switch {
	case place >= 0:
		if len(e.Hosts) == 1 {
			e.Hosts[0].Host = "server"
		}
		c.note("the counters are taken to be those of %v, to which most connections go", server)
	case len(e.Hosts) == 1 && len(e.Hosts[0].Addrs) == 0 && !c.ends.distant[server]:
		place = 0
		e.Hosts[0].Host, e.Hosts[0].Addrs = "server", []netip.Addr{server}
		c.note("the counters are taken to be those of %v, to which most connections go, and the capture to be from there", server)
	default:
		place = len(e.Hosts)
		e.Hosts = append(e.Hosts, scenario.Witnessed{Host: "server", Addrs: []netip.Addr{server}})
		c.note("the counters are taken to be those of %v, to which most connections go; it did not capture itself", server)
	}
	e.Hosts[place].Counters = samples
}
