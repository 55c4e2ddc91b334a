package main

import (
	"hash/maphash"
	"net/netip"
	"time"
)

// A capture of several interfaces at once, or behind a mirror port, has each packet
// several times. A repeat by TCP is never byte for byte the same within a millisecond:
// a SYN waits a second. But RSTs may be: one goes out for each stray segment, all alike.
// So a SYN tells how often a capture shows the packets of its connection, and of each
// packet of the connection that comes so often within a millisecond one is kept.
//
// Two copies may differ in their time to live and its checksum, since the packet may
// have been routed in between.

// together is how long after the first the copies of a packet come.
const together = time.Millisecond

// connection names both directions by one value.
type connection struct{ low, high netip.AddrPort }

func (c *copies) connection(g glance) uint64 {
	if g.source.Compare(g.target) < 0 {
		return maphash.Comparable(c.seed, connection{g.source, g.target})
	}
	return maphash.Comparable(c.seed, connection{g.target, g.source})
}

// mostCopies bounds what is counted.
const mostCopies = 100

// sight is how often a packet was seen since it was kept, and when that was.
type sight struct {
	at    time.Duration
	times int8
}

// copies finds the copies of packets at one interface.
type copies struct {
	seed   maphash.Seed
	recent map[uint64]sight
	older  map[uint64]sight // of the time before recent began
	began  time.Duration    // of recent
	each   map[uint64]int8  // by the hash of a connection, since there may be millions
	most   int8             // copies of any connection, for those that began before the capture
	left   int              // how many were left out
}

func newCopies() *copies {
	return &copies{seed: maphash.MakeSeed(), recent: map[uint64]sight{}, older: map[uint64]sight{}, each: map[uint64]int8{}, most: 1}
}

// again tells whether a packet is only a copy of one before.
func (c *copies) again(ip []byte, g glance, at time.Duration) bool {
	conn := c.connection(g)
	each, known := c.each[conn]
	if g.syn && !g.ack {
		return c.count(c.opening(ip, conn, at, max(1, each)))
	}
	if !known {
		each = c.most
	}
	if each == 1 {
		return false
	}
	s, id := c.sighting(ip, at)
	if s.times == each {
		s = sight{at: at}
	}
	s.times++
	c.recent[id] = s
	return c.count(s.times > 1)
}

// opening is again for a SYN, which tells how many copies there are.
func (c *copies) opening(ip []byte, conn uint64, at time.Duration, each int8) bool {
	s, id := c.sighting(ip, at)
	s.times = min(s.times+1, mostCopies)
	c.recent[id] = s
	c.each[conn] = max(each, s.times)
	c.most = max(c.most, s.times)
	return s.times > 1
}

func (c *copies) count(copied bool) bool {
	if copied {
		c.left++
	}
	return copied
}

// sighting is the latest of a packet within the time of copies, or a first one.
func (c *copies) sighting(ip []byte, at time.Duration) (sight, uint64) {
	if at-c.began > together || at < c.began {
		c.older, c.recent, c.began = c.recent, c.older, at
		clear(c.recent)
	}
	id := c.identity(ip)
	for _, m := range []map[uint64]sight{c.recent, c.older} {
		if s, ok := m[id]; ok && at-s.at <= together && at >= s.at {
			return s, id
		}
	}
	return sight{at: at}, id
}

// identity is a hash of what copies of a packet have in common.
func (c *copies) identity(ip []byte) uint64 {
	var hash maphash.Hash
	hash.SetSeed(c.seed)
	if ip[0]>>4 == 4 { // without time to live and checksum
		_, _ = hash.Write(ip[:8])
		_, _ = hash.Write(ip[12:])
	} else { // without the hop limit
		_, _ = hash.Write(ip[:7])
		_, _ = hash.Write(ip[8:])
	}
	return hash.Sum64()
}
