package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/gopacket/gopacket/layers"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// capture is what a file shows.
type capture struct {
	spots []*spot // where packets were captured, in order of their first one
	ends  *ends
	notes []string

	origins map[origin]*spot
	start   time.Time // of the first packet; times count from it
	last    time.Duration
	records int
	untimed int                     // packets without a time
	unread  map[layers.LinkType]int // packets of link types that are not read
	arena   []byte                  // where the next packet's bytes go
}

// spot is one interface of a capture.
type spot struct {
	name    string // empty: unknown
	packets []scenario.Packet
	strip   stripper
	copies  *copies
	tcp     int
}

// read reads a whole capture. It fails if there is nothing in it that can be read.
func read(r io.Reader) (*capture, error) {
	next, err := open(r)
	if err != nil {
		return nil, err
	}
	c := &capture{origins: map[origin]*spot{}, ends: newEnds(), unread: map[layers.LinkType]int{}}
	for {
		got, err := next()
		if err != nil {
			return c, c.finish(err)
		}
		c.records++
		c.add(got)
	}
}

// add keeps what is worth keeping of a packet. A packet that is of no use leaves an
// empty place, so that those that are kept have the numbers that Wireshark gives them.
func (c *capture) add(r record) {
	s := c.spotOf(r.origin)
	if s == nil {
		c.unread[r.origin.link]++
		return
	}
	p := scenario.Packet{At: c.time(r.at), Length: r.length}
	ip, way := s.strip.ip(r.data)
	if n := worth(ip); n > 0 && !c.known(s, ip, way, p.At) {
		p.Data, p.Length = c.keep(ip[:n]), max(len(ip), r.length-(len(r.data)-len(ip)))
	}
	s.packets = append(s.packets, p)
}

// known tells whether a packet is a copy of one before, and if not notes whose it is.
func (c *capture) known(s *spot, ip []byte, way way, at time.Duration) bool {
	g, ok := look(ip)
	if !ok {
		return false
	}
	s.tcp++
	c.ends.seen(g, way)
	if s.copies.again(ip, g, at) {
		return true
	}
	c.ends.met(g, s, at)
	return false
}

// spotOf is the interface of a record; nil if its link type is not read.
func (c *capture) spotOf(from origin) *spot {
	if s, ok := c.origins[from]; ok {
		return s
	}
	outer, ok := links[from.link]
	if !ok {
		return nil
	}
	name := printable(from.name)
	s := &spot{name: name[:min(len(name), mostName)], copies: newCopies()}
	if outer != nil {
		s.strip.outer = outer()
	}
	c.origins[from] = s
	c.spots = append(c.spots, s)
	return s
}

// printable is a name without what a terminal would obey.
func printable(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, name)
}

// mostName is how many bytes of an interface's name are kept.
const mostName = 40

// time counts from the first packet. One without a time has that of the one before it.
func (c *capture) time(at time.Time) time.Duration {
	if at.IsZero() {
		c.untimed++
		return c.last
	}
	if c.start.IsZero() {
		c.start = at
	}
	c.last = at.Sub(c.start)
	return c.last
}

// arenaSize is large enough to make the number of allocations small.
const arenaSize = 1 << 20

func (c *capture) keep(data []byte) []byte {
	if len(c.arena) < len(data) {
		c.arena = make([]byte, arenaSize)
	}
	kept := c.arena[:len(data):len(data)]
	c.arena = c.arena[len(data):]
	copy(kept, data)
	return kept
}

// finish notes how the file ended, and brings the packets in order of their times.
func (c *capture) finish(end error) error {
	switch {
	case errors.Is(end, io.ErrUnexpectedEOF):
		c.note("the capture is cut off after %d packets", c.records)
	case !errors.Is(end, io.EOF):
		c.note("the capture is broken after %d packets, and the rest of it is not read: %v", c.records, end)
	}
	for link, n := range c.unread {
		if len(c.spots) == 0 {
			return unknownLink(link)
		}
		c.note("%d packets are not read: %v", n, unknownLink(link))
	}
	if c.records == 0 && !errors.Is(end, io.EOF) && !errors.Is(end, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the capture is broken: %w", end)
	}
	if c.untimed > 0 {
		c.note("%d packets have no time, and are taken to follow the ones before them at once", c.untimed)
	}
	slices.Sort(c.notes) // the link types came in no order
	c.order()
	return nil
}

func (c *capture) note(format string, args ...any) {
	c.notes = append(c.notes, fmt.Sprintf(format, args...))
}

// order sorts the packets of each interface, which are nearly so, and lets the times
// begin at zero.
func (c *capture) order() {
	first := time.Duration(0)
	byTime := func(a, b scenario.Packet) int { return cmp.Compare(a.At, b.At) }
	for _, s := range c.spots {
		if !slices.IsSortedFunc(s.packets, byTime) {
			slices.SortStableFunc(s.packets, byTime)
			c.note("packets were not in order of their times; the numbers of packets count in that order")
		}
		if len(s.packets) > 0 {
			first = min(first, s.packets[0].At)
		}
		if n := s.copies.left; n > 0 {
			c.note("%d packets are copies of others from less than %v before, and left out", n, together)
		}
		s.copies = nil // not needed any more, and large
	}
	for _, s := range c.spots {
		for i := range s.packets {
			s.packets[i].At -= first
		}
		if n := len(s.packets); n > 0 {
			c.last = max(c.last, s.packets[n-1].At)
		}
	}
}
