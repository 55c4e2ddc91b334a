package witness

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// The trace covers the whole machine, and events do not say which network namespace they
// happened in; other labs have the very same addresses. So an event counts only if a
// packet of the recording goes with it.

// resetReach is how long after its event a RST can be, under load.
const resetReach = 100 * time.Millisecond

// attribute gives each host the events that are its own, in order of their times.
//
// A tcp_send_reset belongs to the host that sent a RST with the same addresses, each RST
// to the last event before it, and gets the addresses of that RST: for a RST on behalf of
// a listener the kernel tells those of the listener alone. If the host had to let packets
// go, its addresses must do.
//
// A kfree_skb belongs to the host, and has the addresses, of the tcp_send_reset that the
// same packet caused. Any other is nobody's: nothing tells it from that of another lab.
func attribute(hits []hit, hosts []scenario.Witnessed) {
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Compare(a.At, b.At) })
	owners := make([]int, len(hits))
	for i := range owners {
		owners[i] = nobody
	}
	for i := range hosts {
		hosts[i].Reasons = []scenario.KernelReason{}
		claimResets(hits, owners, i, hosts[i])
	}
	claimDrops(hits, owners)
	for i, owner := range owners {
		if owner != nobody {
			hosts[owner].Reasons = append(hosts[owner].Reasons, hits[i].KernelReason)
		}
	}
}

const nobody = -1

// claimResets makes host i the owner of the events of its RSTs.
func claimResets(hits []hit, owners []int, i int, w scenario.Witnessed) {
	piles := map[ends]*pile{}
	for n, h := range hits {
		if h.Event == sendReset && owners[n] == nobody {
			piles[h.ends()] = piles[h.ends()].with(n)
		}
	}
	for _, p := range w.Packets {
		s, ok := scenario.ReadSegment(p.Data)
		if !ok || !s.Has(scenario.RST) || !slices.Contains(w.Addrs, s.Source.Addr()) {
			continue
		}
		if n := takeLatest(hits, p.At, piles[ends{s.Source, s.Target}], piles[ends{local: s.Source}],
			piles[ends{local: netip.AddrPortFrom(netip.Addr{}, s.Source.Port())}]); n != nobody {
			owners[n] = i
			hits[n].Local, hits[n].Remote = s.Source, s.Target
		}
	}
	for n, h := range hits {
		if w.LetGo > 0 && owners[n] == nobody && h.Event == sendReset && slices.Contains(w.Addrs, h.ends().local.Addr()) {
			owners[n] = i
		}
	}
}

// ends are the two ends of a connection as one of them sees it. What a listener leaves
// open is zero: its own address, if it listens on all, and the other end.
type ends struct{ local, remote netip.AddrPort }

// ends is what the event tells, in which IPv4 of a dual-stack socket is IPv4.
func (h hit) ends() ends {
	local := netip.AddrPortFrom(h.Local.Addr().Unmap(), h.Local.Port())
	if local.Addr().IsUnspecified() {
		local = netip.AddrPortFrom(netip.Addr{}, local.Port())
	}
	return ends{local, netip.AddrPortFrom(h.Remote.Addr().Unmap(), h.Remote.Port())}
}

// pile is a number of events in order of their times: those that are yet to come, and
// those that have been without an owner so far. Nil is an empty one.
type pile struct{ coming, passed []int }

func (p *pile) with(n int) *pile {
	if p == nil {
		p = &pile{}
	}
	p.coming = append(p.coming, n)
	return p
}

// last is the last event at or before an instant, or nobody.
func (p *pile) last(hits []hit, at time.Duration) int {
	if p == nil {
		return nobody
	}
	for len(p.coming) > 0 && hits[p.coming[0]].At <= at {
		p.coming, p.passed = p.coming[1:], append(p.passed, p.coming[0])
	}
	if len(p.passed) == 0 {
		return nobody
	}
	return p.passed[len(p.passed)-1]
}

// takeLatest takes the last event at or before an instant from its pile; nobody if it is
// too long before.
func takeLatest(hits []hit, at time.Duration, piles ...*pile) int {
	var from *pile
	best, latest := nobody, at-resetReach
	for _, p := range piles {
		if n := p.last(hits, at); n != nobody && hits[n].At > latest {
			best, latest, from = n, hits[n].At, p
		}
	}
	if from != nil {
		from.passed = from.passed[:len(from.passed)-1]
	}
	return best
}

// claimDrops finds the owners of the events of kfree_skb.
func claimDrops(hits []hit, owners []int) {
	resets := map[string]int{} // by packet, the last one
	for i, h := range hits {
		if h.Event == sendReset {
			resets[h.skb] = i
			continue
		}
		if !h.ofTCP() {
			continue
		}
		if reset, caused := resets[h.skb]; caused {
			delete(resets, h.skb) // the address will be that of another packet
			owners[i] = owners[reset]
			hits[i].Local, hits[i].Remote = hits[reset].Local, hits[reset].Remote
		}
	}
}
