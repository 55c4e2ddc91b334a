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
		places[i] = newPlace(host)
	}
	flows := track(e.Hosts)
	x := newExaminer(places, endOf(e), failed(e.Clients))
	for _, f := range flows {
		x.examine(f).gather()
	}
	for _, p := range places {
		p.sort()
	}
	report := Report{Flows: make([]Flow, len(flows))}
	q, b := newInquiry(), newBooks(places)
	for i, f := range flows {
		it := x.examine(f)
		report.Flows[i] = q.open(it).conclude()
		b.enter(it, report.Flows[i].Cause)
		flows[i] = nil // its packets are not needed any more, and may be many
	}
	report.Summary = Summary{Causes: count(report.Flows), Books: b.balance(), Notes: notes(report.Flows, places)}
	return report
}

// examiner looks at one flow after the other. There may be millions, and so it uses its
// memory again for the next one.
type examiner struct {
	places    []*place
	end       time.Duration // of all evidence
	failed    map[connection]bool
	histories []history // by host
	item      item
}

func newExaminer(places []*place, end time.Duration, failed map[connection]bool) *examiner {
	return &examiner{places: places, end: end, failed: failed, histories: make([]history, len(places))}
}

// connection is both ends of one.
type connection struct{ client, server netip.AddrPort }

// failed are the connections whose clients were told of a failure. What they were told is
// not looked at: it tells nothing about the cause.
func failed(clients []scenario.ClientError) map[connection]bool {
	told := map[connection]bool{}
	for _, c := range clients {
		told[connection{c.Local, c.Remote}] = true
	}
	return told
}

// examine finds out from where a flow was seen and of which class it is. The item is valid
// until the next one is examined.
func (x *examiner) examine(f *flow) *item {
	it := &x.item
	*it = item{flow: f, end: max(x.end, f.last())}
	for i, p := range x.places {
		var seen *history
		if f.views[i] != nil {
			seen = &x.histories[i]
			seen.read(f.views[i])
		}
		if p.has(f.client.Addr()) {
			it.client, it.near = p, seen
		}
		if p.has(f.server.Addr()) { // the same host, if the two talk over its loopback
			it.server, it.far = p, seen
		}
		if seen != nil && (it.h == nil || it.near == seen) {
			it.h, it.viewer = seen, p
		}
	}
	it.class = it.h.classify(f.failedByICMP())
	if it.class == ghost && it.h.recovered() && it.far != nil && len(it.far.data) < 2 {
		it.class = healthy // the data were lost on the way, and came the second time
	}
	it.failed = x.failed[connection{f.client, f.server}]
	if it.failed && it.class == healthy && it.h.dataAcked && !it.h.answered && it.h.serverFIN == nil {
		it.class = ignored
	}
	return it
}

// endOf is when the witnesses stopped.
func endOf(e scenario.Evidence) (end time.Duration) {
	for _, host := range e.Hosts {
		if n := len(host.Packets); n > 0 {
			end = max(end, host.Packets[n-1].At)
		}
		if n := len(host.Counters); n > 0 {
			end = max(end, host.Counters[n-1].At)
		}
	}
	return end
}

// failedByICMP tells whether an ICMP error was about the flow and no segment of the
// server's came after it.
func (f *flow) failedByICMP() bool {
	for _, c := range f.unreachable {
		view := f.views[c.host]
		if !slices.ContainsFunc(view, func(s segment) bool { return !s.fromClient && s.at > c.what.at }) {
			return true
		}
	}
	return false
}

// gather tells the server of a flow, if it is known, what the flow says of it: when its
// RSTs crossed its interface, or, where that was not captured, the client's, and when it
// was silent.
func (it *item) gather() {
	if it.server == nil {
		return
	}
	it.gatherSilence()
	h := it.atServer()
	if h.rst() == nil {
		return
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
	all := []Count{}
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
	text := []string{}
	counters, captured := false, 0
	for _, p := range places {
		counters = counters || p.counted()
		if p.Packets != nil {
			captured++
		}
		if p.LetGo > 0 {
			text = append(text, fmt.Sprintf("%d packets at %s were seen and not kept", p.LetGo, p.Host))
		}
		if sent, known := p.moved("OutRsts", all); known && p.captured() && uint64(len(p.rsts)) > sent {
			text = append(text, fmt.Sprintf("%d RSTs came from %s and its TCP sent %d: a packet filter sent the rest, or somebody injected them", len(p.rsts), p.Host, sent))
		}
	}
	if !counters {
		text = append(text, "there are no counters, so what looks alike on the wire cannot be told apart")
	}
	if captured == 0 {
		text = append(text, "there is no capture, so counters cannot be given to connections")
	}
	if captured == 1 {
		text = append(text, "one end was captured: whether a packet was lost or injected on the way cannot be told")
	}
	if captured > 0 && len(flows) == 0 {
		text = append(text, "the capture has no TCP connection")
	}
	return text
}
