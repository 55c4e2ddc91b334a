package diagnose

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// key names a connection attempt: its ends and the client's initial sequence number,
// which is zero if its SYN was not captured.
type key struct {
	client, server netip.AddrPort
	isn            uint32
}

// flow is one connection attempt as the captures show it.
type flow struct {
	key
	began       time.Duration // its first packet
	views       [][]segment   // by host; nil where it was not seen
	unreachable []clueOf[unreachable]
}

// clueOf is something that was seen at a host.
type clueOf[T any] struct {
	host int
	what T
}

// pair are two ends by the numbers that the tracker gives them, which makes its maps
// small: there may be millions of flows.
type pair struct{ source, target uint32 }

// attempt is a key in such numbers.
type attempt struct {
	pair
	isn uint32
}

// tracker sorts the packets of all hosts into flows.
type tracker struct {
	hosts   int
	numbers map[netip.AddrPort]uint32
	flows   map[attempt]*flow
	order   []*flow          // as they began, host by host
	current []map[pair]*flow // by host: the latest flow between two ends, the client's first
	icmp    []clueOf[unreachable]
	servers map[uint32]bool // to which a connection was begun
}

// track reads all packets.
func track(hosts []scenario.Witnessed) []*flow {
	t := &tracker{hosts: len(hosts), numbers: map[netip.AddrPort]uint32{}, flows: map[attempt]*flow{}, servers: map[uint32]bool{}}
	d := newDecoder()
	for h, host := range hosts {
		t.current = append(t.current, map[pair]*flow{})
		for i, p := range host.Packets {
			s, e, u := d.decode(p, i+1)
			if s != nil {
				t.add(h, *s, e)
			}
			if u != nil {
				t.icmp = append(t.icmp, clueOf[unreachable]{h, *u})
			}
		}
	}
	t.quote()
	slices.SortFunc(t.order, func(a, b *flow) int {
		return cmp.Or(cmp.Compare(a.began, b.began), a.client.Compare(b.client), a.server.Compare(b.server), cmp.Compare(a.isn, b.isn))
	})
	return t.order
}

// add puts a segment into its flow.
func (t *tracker) add(host int, s segment, e ends) {
	p := t.pair(e)
	back := pair{p.target, p.source}
	f := t.current[host][p]
	switch {
	case s.flags&(scenario.SYN|scenario.ACK) == scenario.SYN: // the client's SYN: a flow of its own, unless it comes again
		s.fromClient = true
		if f == nil || f.isn != s.seq {
			f = t.flow(p, key{e.source, e.target, s.seq})
			t.current[host][p] = f
			t.servers[p.target] = true
			delete(t.current[host], back)
		}
	case f != nil:
		s.fromClient = true
	case t.current[host][back] != nil:
		f = t.current[host][back]
	default: // it began before the capture did
		s.fromClient = t.guessClient(s, e, p)
		client, k := p, key{e.source, e.target, 0}
		if !s.fromClient {
			client, k = back, key{e.target, e.source, 0}
		}
		f = t.flow(client, k)
		t.current[host][client] = f
	}
	if len(f.views[host]) == 0 {
		f.began = min(f.began, s.at)
	}
	f.views[host] = append(f.views[host], s)
}

// guessClient tells whether a segment of a flow whose SYN was not seen is its client's: who
// answers a SYN is not the client, nor whom others have connected to, and else it is who
// has the higher port.
func (t *tracker) guessClient(s segment, e ends, p pair) bool {
	source, target := t.servers[p.source], t.servers[p.target]
	return !s.has(scenario.SYN|scenario.ACK) && (target || !source) && (source != target || e.source.Port() >= e.target.Port())
}

// flow is the flow with a key, which is an attempt between two ends.
func (t *tracker) flow(p pair, k key) *flow {
	a := attempt{p, k.isn}
	f := t.flows[a]
	if f == nil {
		f = &flow{key: k, began: all.to, views: make([][]segment, t.hosts)}
		t.flows[a] = f
		t.order = append(t.order, f)
	}
	return f
}

// pair numbers two ends.
func (t *tracker) pair(e ends) pair { return pair{t.number(e.source), t.number(e.target)} }

func (t *tracker) number(a netip.AddrPort) uint32 {
	n, known := t.numbers[a]
	if !known {
		n = uint32(len(t.numbers))
		t.numbers[a] = n
	}
	return n
}

// quote gives each ICMP error to the flow that it quotes, the last one that had begun.
func (t *tracker) quote() {
	for _, c := range t.icmp {
		if f := t.current[c.host][t.pair(c.what.about)]; f != nil {
			f.unreachable = append(f.unreachable, c)
		}
	}
}

// last is the time of the flow's last packet.
func (f *flow) last() time.Duration {
	last := f.began
	for _, view := range f.views {
		if len(view) > 0 {
			last = max(last, view[len(view)-1].at)
		}
	}
	return last
}

// name is the flow in a report: "10.0.0.2:48864>10.0.0.1:80".
func (f *flow) name() string {
	var room [2 * len("[0000:0000:0000:0000:0000:0000:255.255.255.255]:65535")]byte
	text := append(f.client.AppendTo(room[:0]), '>')
	return string(f.server.AppendTo(text))
}
