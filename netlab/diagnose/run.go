package diagnose

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// Run reads the evidence and names the cause of every flow in it. It never fails: what
// makes no sense explains nothing. Flows that nothing went wrong with are there too, as
// healthy ones.
func Run(e scenario.Evidence) Report {
	places := make([]*place, len(e.Hosts))
	for i, host := range e.Hosts {
		places[i] = &place{Witnessed: host, bare: map[netip.AddrPort][]time.Duration{}, hard: map[netip.AddrPort][]time.Duration{}}
	}
	var items []*item
	for _, f := range track(e.Hosts) {
		items = append(items, f.examine(places))
	}
	gatherRSTs(items, places)
	report := Report{}
	for _, it := range items {
		report.Flows = append(report.Flows, inquire(it).conclude())
	}
	report.Summary = summarize(items, report.Flows, places)
	return report
}

// examine finds out from where a flow was seen and of which class it is.
func (f *flow) examine(places []*place) *item {
	it := &item{flow: f}
	for i, p := range places {
		var seen *history
		if f.views[i] != nil {
			seen = new(read(f.views[i]))
		}
		switch {
		case p.has(f.client.Addr()):
			it.client, it.near = p, seen
		case p.has(f.server.Addr()):
			it.server, it.far = p, seen
		}
		if it.h == nil || seen != nil && it.near == seen {
			it.h = cmp.Or(seen, it.h)
		}
	}
	it.class = it.h.classify(len(f.unreachable) > 0)
	if it.class == ghost && it.h.recovered() && it.far != nil && len(it.far.data) < 2 {
		it.class = healthy // the data were lost on the way, and came the second time
	}
	it.end = f.last()
	for _, p := range places {
		if n := len(p.Packets); n > 0 {
			it.end = max(it.end, p.Packets[n-1].At)
		}
		if n := len(p.Counters); n > 0 {
			it.end = max(it.end, p.Counters[n-1].At)
		}
	}
	return it
}

// gatherRSTs lists for each server when its RSTs crossed its interface, or, where that
// was not captured, the client's.
func gatherRSTs(items []*item, places []*place) {
	for _, it := range items {
		if it.server == nil {
			continue
		}
		h := it.far
		if h == nil {
			h = it.near
		}
		if h == nil || h.rst() == nil {
			continue
		}
		for _, s := range h.rsts {
			it.server.rsts = append(it.server.rsts, s.at)
		}
		if it.class == handshakeRST || it.class == retriedRST {
			it.server.bare[it.flow.server] = append(it.server.bare[it.flow.server], h.rst().at)
		}
		if it.class == abortRST {
			it.server.hard[it.flow.server] = append(it.server.hard[it.flow.server], h.rst().at)
		}
	}
	for _, p := range places {
		slices.Sort(p.rsts)
		for _, byListener := range []map[netip.AddrPort][]time.Duration{p.bare, p.hard} {
			for _, times := range byListener {
				slices.Sort(times)
			}
		}
	}
}

func summarize(items []*item, flows []Flow, places []*place) Summary {
	return Summary{Causes: count(flows), Books: balance(items, flows, places), Notes: notes(flows, places)}
}

// certainty orders the grades.
var certainty = map[Grade]int{Possible: 0, Likely: 1, Certain: 2}

// count lists the causes of all flows, the most frequent first.
func count(flows []Flow) []Count {
	byCause := map[Cause]*Count{}
	for _, f := range flows {
		c := byCause[f.Cause]
		if c == nil {
			c = &Count{Cause: f.Cause, Grade: f.Grade, Cure: f.Cure}
			byCause[f.Cause] = c
		}
		c.Flows++
		if f.Recovered {
			c.Recovered++
		}
		if certainty[f.Grade] < certainty[c.Grade] {
			c.Grade = f.Grade
		}
	}
	var all []Count
	for _, c := range byCause {
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Flows, a.Flows), cmp.Compare(a.Cause, b.Cause))
	})
	return all
}

// notes say what the evidence lacks.
func notes(flows []Flow, places []*place) []string {
	var all []string
	counters, captured := false, false
	for _, p := range places {
		counters = counters || len(p.Counters) >= 2
		captured = captured || p.Packets != nil
		if p.LetGo > 0 {
			all = append(all, fmt.Sprintf("%d packets at %s were seen and not kept", p.LetGo, p.Host))
		}
	}
	if !counters {
		all = append(all, "there are no counters, so what looks alike on the wire cannot be told apart")
	}
	if !captured {
		all = append(all, "there is no capture, so counters cannot be given to connections")
	}
	if len(places) == 1 && captured {
		all = append(all, "one end was captured: whether a packet was lost or injected on the way cannot be told")
	}
	if captured && len(flows) == 0 {
		all = append(all, "the capture has no TCP connection")
	}
	return all
}
