package diagnose

import (
	"iter"
	"net/netip"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// place is a host with what was witnessed there, ready to be asked. A nil place is one
// that nobody witnessed, and knows nothing.
type place struct {
	scenario.Witnessed
	rsts []time.Duration                    // when its RSTs crossed its interface, in order
	bare map[netip.AddrPort][]time.Duration // by listener: those without ACK that answered a handshake
	hard map[netip.AddrPort][]time.Duration // by listener: the first of each connection with ACK

	silence []time.Duration            // when something got no answer, in order
	silent  map[uint16][]time.Duration // the same by the host's port, which one listener may have at all addresses
}

func newPlace(w scenario.Witnessed) *place {
	byListener := func() map[netip.AddrPort][]time.Duration { return map[netip.AddrPort][]time.Duration{} }
	return &place{Witnessed: w, bare: byListener(), hard: byListener(), silent: map[uint16][]time.Duration{}}
}

// sort brings in order what was gathered.
func (p *place) sort() {
	slices.Sort(p.rsts)
	slices.Sort(p.silence)
	for _, times := range p.silent {
		slices.Sort(times)
	}
	for _, byListener := range []map[netip.AddrPort][]time.Duration{p.bare, p.hard} {
		for _, times := range byListener {
			slices.Sort(times)
		}
	}
}

// margin is how far a sample must be from a packet to count as before or after it: a
// reading of the counters takes a while.
const margin = 5 * time.Millisecond

// window is a span of time between two samples.
type window struct{ from, to time.Duration }

// all is the whole run.
var all = window{-1 << 62, 1<<62 - 1}

// around is the smallest window between samples of counters that has an instant well
// inside; the whole run if there are no such samples.
func (p *place) around(at time.Duration) window {
	w := all
	if p == nil {
		return w
	}
	for _, s := range p.Counters {
		if s.At <= at-margin {
			w.from = s.At
		}
		if s.At >= at+margin {
			w.to = s.At
			break
		}
	}
	return w
}

// counted tells whether the host's counters were read before and after.
func (p *place) counted() bool { return p != nil && len(p.Counters) >= 2 }

// moved is what a counter moved by in a window; false if nobody read it.
func (p *place) moved(name string, w window) (uint64, bool) {
	if !p.counted() {
		return 0, false
	}
	before, after := p.Counters[0], p.Counters[len(p.Counters)-1]
	for _, s := range p.Counters {
		if s.At <= w.from {
			before = s
		}
		if s.At >= w.to {
			after = s
			break
		}
	}
	if after.Counters[name] < before.Counters[name] {
		return 0, false // not from one run
	}
	return after.Counters[name] - before.Counters[name], true
}

// within counts the times in a window; they are in order.
func within(times []time.Duration, w window) int {
	after := sort.Search(len(times), func(i int) bool { return times[i] > w.to })
	return after - sort.Search(len(times), func(i int) bool { return times[i] > w.from })
}

// captured tells whether all packets at the host were seen.
func (p *place) captured() bool { return p != nil && p.Packets != nil && p.LetGo == 0 }

// drops is what the listeners on an address dropped in a window; false if nobody looked
// at them, or if one was closed in the window and took its last drops with it.
func (p *place) drops(server netip.AddrPort, w window) (sum uint32, known bool) {
	before, after := map[uint32]uint32{}, map[uint32]uint32{} // by inode
	for q := range p.listeners(server) {
		if q.Gone && q.At > w.from && q.At <= w.to+margin {
			return 0, false
		}
		if _, seen := before[q.Inode]; !seen || q.At <= w.from {
			before[q.Inode] = q.Drops
		}
		if _, seen := after[q.Inode]; !seen || q.At <= w.to+margin {
			after[q.Inode] = q.Drops
		}
	}
	for inode, drops := range after {
		sum += drops - min(before[inode], drops)
	}
	return sum, len(after) > 0
}

// alive tells whether all listeners on an address were there after an instant; false too
// if nobody looked.
func (p *place) alive(server netip.AddrPort, after time.Duration) bool {
	gone, later, looked := map[uint32]bool{}, map[uint32]bool{}, map[uint32]bool{}
	for q := range p.listeners(server) {
		looked[q.Inode] = true
		gone[q.Inode] = gone[q.Inode] || q.Gone
		later[q.Inode] = later[q.Inode] || !q.Gone && q.At > after
	}
	for inode := range looked {
		if gone[inode] && !later[inode] {
			return false
		}
	}
	return len(looked) > 0
}

// buried is how many connections waited in the listeners on an address that were closed
// in a window, at their last reading.
func (p *place) buried(server netip.AddrPort, w window) (waiting int) {
	for q := range p.listeners(server) {
		if q.Gone && q.At > w.from && q.At <= w.to+margin {
			waiting += int(q.Length)
		}
	}
	return waiting
}

// listeners goes through the readings of the listeners that take connections to an
// address.
func (p *place) listeners(server netip.AddrPort) iter.Seq[scenario.QueueSample] {
	return func(yield func(scenario.QueueSample) bool) {
		if p == nil {
			return
		}
		for _, q := range p.Queues {
			if listensOn(q.Listener, server) && !yield(q) {
				return
			}
		}
	}
}

// listensOn tells whether a listener takes connections to an address.
func listensOn(listener, server netip.AddrPort) bool {
	return listener.Port() == server.Port() && (listener.Addr().IsUnspecified() || listener.Addr() == server.Addr())
}

// logged finds a line of a program that has all the words.
func (p *place) logged(words ...string) (scenario.LogLine, bool) {
	if p == nil {
		return scenario.LogLine{}, false
	}
	i := slices.IndexFunc(p.Log, func(l scenario.LogLine) bool {
		return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(l.Text, w) })
	})
	if i < 0 {
		return scenario.LogLine{}, false
	}
	return p.Log[i], true
}

// sysctlIs tells whether a sysctl was read and had a value.
func (p *place) sysctlIs(key, value string) bool { return p != nil && p.Sysctls[key] == value }

// has tells whether an address is the host's.
func (p *place) has(a netip.Addr) bool { return slices.Contains(p.Addrs, a) }
