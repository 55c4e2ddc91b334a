package wire

import (
	"cmp"
	"slices"
	"time"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// sampleEvery is how far apart samples of the counters and queues are at least.
const sampleEvery = 5 * time.Millisecond

// recording is what a wire witnesses besides the packets.
type recording struct {
	on       bool
	last     time.Duration
	counters [2][]scenario.CounterSample // by side
	queues   [2]scenario.QueueLog
	sysctls  [2]map[string]string
}

// Record makes the wire read the counters and the listeners of both hosts as time
// passes, from now on and in every play to come, just before the clock moves on. A play
// then takes some 0.3 ms more for each 5 ms in which something happens.
func (w *Wire) Record() {
	w.recorded = recording{on: true}
	for side, h := range []*netlab.Host{w.Client, w.Server} {
		w.recorded.sysctls[side] = h.DecisiveSysctls()
	}
	w.sample()
}

// sampleBefore takes a sample if the clock is about to move far enough from the last
// one.
func (w *Wire) sampleBefore(next time.Duration) {
	if w.recorded.on && next >= w.recorded.last+sampleEvery && next > w.now {
		w.sample()
	}
}

func (w *Wire) sample() {
	if !w.recorded.on {
		return
	}
	r := &w.recorded
	r.last = w.now
	for side, h := range []*netlab.Host{w.Client, w.Server} {
		r.counters[side] = append(r.counters[side], scenario.CounterSample{At: w.now, Counters: h.Counters()})
		r.queues[side].Note(w.now, h.QueueSamples(), true)
	}
}

// Evidence is what both ends have witnessed since the wire was made or last played: all
// packets, and the samples if [Wire.Record] was called. The slices are the caller's;
// the packets' bytes are valid until the wire is played again.
func (w *Wire) Evidence() scenario.Evidence {
	var e scenario.Evidence
	for side, h := range []*netlab.Host{w.Client, w.Server} {
		e.Hosts = append(e.Hosts, scenario.Witnessed{
			Sysctls: w.recorded.sysctls[side],
			Host:    h.Name(), Addrs: slices.Concat(h.Addrs(), h.Addrs6()), Packets: seenBy(Side(side), w.packets),
			Counters: slices.Clone(w.recorded.counters[side]), Queues: slices.Clone(w.recorded.queues[side].Samples),
		})
	}
	return e
}

// seenBy lists the packets that crossed one end's interface, in the order of their
// times there. What was injected was never sent by the end that it pretends.
func seenBy(side Side, packets []*Packet) []scenario.Packet {
	all := []scenario.Packet{} // not nil: there was a capture
	for _, s := range sightings(packets) {
		if s.by == side {
			all = append(all, scenario.Packet{At: s.at, Data: s.packet.Data, Length: len(s.packet.Data)})
		}
	}
	slices.SortStableFunc(all, func(a, b scenario.Packet) int { return cmp.Compare(a.At, b.At) })
	return all
}
