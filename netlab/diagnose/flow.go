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
	views       [][]segment // by host; nil where it was not seen
	unreachable []clueOf[unreachable]
}

// clueOf is something that was seen at a host.
type clueOf[T any] struct {
	host int
	what T
}

// tracker sorts the packets of all hosts into flows.
type tracker struct {
	hosts   int
	flows   map[key]*flow
	current []map[ends]*flow // by host: the latest flow between two ends, the client's first
	icmp    []clueOf[unreachable]
	servers map[netip.AddrPort]bool // to which a connection was begun
}

// track reads all packets.
func track(hosts []scenario.Witnessed) []*flow {
	t := &tracker{hosts: len(hosts), flows: map[key]*flow{}, servers: map[netip.AddrPort]bool{}}
	d := newDecoder()
	for h, host := range hosts {
		t.current = append(t.current, map[ends]*flow{})
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
	all := make([]*flow, 0, len(t.flows))
	for _, f := range t.flows {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b *flow) int {
		return cmp.Or(cmp.Compare(a.first(), b.first()), a.client.Compare(b.client), a.server.Compare(b.server), cmp.Compare(a.isn, b.isn))
	})
	return all
}

// add puts a segment into its flow.
func (t *tracker) add(host int, s segment, e ends) {
	back := ends{e.target, e.source}
	f := t.current[host][e]
	switch {
	case s.flags&(scenario.SYN|scenario.ACK) == scenario.SYN: // the client's SYN: a flow of its own, unless it comes again
		s.fromClient = true
		if f == nil || f.isn != s.seq {
			f = t.flow(key{e.source, e.target, s.seq})
			t.current[host][e] = f
			t.servers[e.target] = true
			delete(t.current[host], back)
		}
	case f != nil:
		s.fromClient = true
	case t.current[host][back] != nil:
		f = t.current[host][back]
	default: // it began before the capture did
		client := t.guessClient(s, e)
		s.fromClient = client == e
		f = t.flow(key{client.source, client.target, 0})
		t.current[host][client] = f
	}
	f.views[host] = append(f.views[host], s)
}

// guessClient tells who is the client of a flow whose SYN was not seen: who answers a
// SYN is not, nor whom others have connected to, and else it is who has the higher port.
func (t *tracker) guessClient(s segment, e ends) ends {
	back := ends{e.target, e.source}
	source, target := t.servers[e.source], t.servers[e.target]
	if s.has(scenario.SYN|scenario.ACK) || source && !target || source == target && e.source.Port() < e.target.Port() {
		return back
	}
	return e
}

func (t *tracker) flow(k key) *flow {
	f := t.flows[k]
	if f == nil {
		f = &flow{key: k, views: make([][]segment, t.hosts)}
		t.flows[k] = f
	}
	return f
}

// quote gives each ICMP error to the flow that it quotes, the last one that had begun.
func (t *tracker) quote() {
	for _, c := range t.icmp {
		if f := t.current[c.host][c.what.about]; f != nil {
			f.unreachable = append(f.unreachable, c)
		}
	}
}

// first is the time of the flow's first packet.
func (f *flow) first() time.Duration {
	first := all.to
	for _, view := range f.views {
		if len(view) > 0 {
			first = min(first, view[0].at)
		}
	}
	return first
}

// last is the time of the flow's last packet.
func (f *flow) last() time.Duration {
	last := f.first()
	for _, view := range f.views {
		if len(view) > 0 {
			last = max(last, view[len(view)-1].at)
		}
	}
	return last
}
