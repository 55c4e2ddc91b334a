package diagnose

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// balanced are the counters whose movement flows must explain.
var balanced = []string{"EmbryonicRsts", "OutRsts", "EstabResets", "ListenOverflows", "ListenDrops", "TCPReqQFullDrop"}

// books are what the flows account for at each host.
type books struct {
	places    []*place
	explained map[*place]map[string]map[Cause]uint64 // by counter
}

func newBooks(places []*place) *books {
	b := &books{places, map[*place]map[string]map[Cause]uint64{}}
	for _, p := range places {
		b.explained[p] = map[string]map[Cause]uint64{}
	}
	return b
}

// enter adds what one flow of a cause accounts for.
func (b *books) enter(it *item, cause Cause) {
	it.account(cause, func(p *place, counter string, n int) {
		if p != nil && n > 0 {
			add(b.explained[p], counter, cause, uint64(n))
		}
	})
}

// balance compares what each host counted with what the flows account for.
func (b *books) balance() []Entry {
	entries := []Entry{}
	for _, p := range b.places {
		explained := b.explained[p]
		full, _ := p.moved("TCPReqQFullDrop", all)
		settle(explained, full)
		for _, counter := range balanced {
			moved, known := p.moved(counter, all)
			if !known || moved == 0 && explained[counter] == nil {
				continue
			}
			e := Entry{Host: p.Host, Counter: counter, Moved: moved, Explained: explained[counter], Unexplained: int64(moved)}
			for _, n := range e.Explained {
				e.Unexplained -= int64(n)
			}
			entries = append(entries, e)
		}
	}
	slices.SortStableFunc(entries, func(a, b Entry) int { return cmp.Compare(a.Host, b.Host) })
	return entries
}

// account tells what one flow of a cause has moved.
func (it *item) account(cause Cause, moved func(p *place, counter string, n int)) {
	h := it.atServer()
	it.accountDrops(cause, h, moved)
	switch cause {
	case FirewallRejectSYN, FirewallRejectACK, InjectedRST:
	default:
		moved(it.server, "OutRsts", len(h.rsts))
	}
	moved(it.client, "OutRsts", len(it.h.ownRSTs))
	if it.far != nil && len(it.far.ownRSTs) > 0 && len(it.far.rsts) == 0 && it.class != timeWait {
		moved(it.server, "EstabResets", 1) // the client's host did not know the connection any more
	}
	if rst := it.h.rst(); rst != nil && len(it.h.synAcks) > 0 && it.h.established(rst) {
		moved(it.client, "EstabResets", 1)
	}
	switch cause {
	case UserTimeout: // tcp_write_err counts it like a reset
		moved(it.client, "EstabResets", 1)
	// Not MemoryPressure: the kernel asks tcp_check_oom only about a connection that its
	// program has closed, and which has left ESTABLISHED for that.
	case ListenerClosed, LingerZero, UnreadData, MemberClosed, FastOpenClosed:
		if rst := h.rst(); rst != nil && rst.has(scenario.ACK) {
			moved(it.server, "EstabResets", 1)
		}
	case AcceptOverflowAbort, AcceptOverflowRetry:
		moved(it.server, "EmbryonicRsts", 1)
	}
}

// stolen is how many of the client's segments met the full accept queue while another CPU
// was already resetting the same request for the one before. Each of them is an overflow and
// a RST too, and then, since the request is gone, a stray that the listener answers with one
// RST more.
//
// Source, checked on v6.18: tcp_check_req with req_stolen (net/ipv4/tcp_minisocks.c),
// tcp_v4_rcv (net/ipv4/tcp_ipv4.c).
func (h *history) stolen() int {
	return max(0, len(h.rsts)-len(h.acks)-len(h.data))
}

// established tells whether the client's socket was in ESTABLISHED, or CLOSE_WAIT, when
// the RST came: those are what EstabResets counts.
func (h *history) established(rst *segment) bool {
	return h.clientFIN == nil || h.clientFIN.at > rst.at
}

// droppedBy is what a SYN has moved that nothing answered: a client's SYNs may meet the
// full SYN queue first and the full accept queue a second later. Where both moved in one
// window, it is what the flow's cause moves.
func (it *item) droppedBy(at time.Duration, cause Cause) []string {
	w := it.server.around(at)
	overflows, _ := it.server.moved("ListenOverflows", w)
	full, _ := it.server.moved("TCPReqQFullDrop", w)
	drops, _ := it.server.moved("ListenDrops", w)
	switch {
	case full > 0 && overflows == 0:
		return []string{"TCPReqQFullDrop", "ListenDrops"}
	case full > 0:
		return []string{eitherQueue, "ListenDrops"}
	case drops > overflows && cause == MaxSYNBacklog, drops > 0 && overflows == 0:
		return []string{"ListenDrops"}
	}
	return []string{"ListenOverflows", "ListenDrops"}
}

// eitherQueue stands for SYNs that were dropped while both queues dropped some: each has
// moved ListenOverflows or TCPReqQFullDrop, and together they have moved both.
const eitherQueue = "either"

// settle gives the SYNs of either queue to what the SYN queue is known to have dropped,
// and the rest to the accept queue.
func settle(explained map[string]map[Cause]uint64, full uint64) {
	for _, n := range explained["TCPReqQFullDrop"] {
		full -= min(n, full)
	}
	for _, cause := range slices.Sorted(maps.Keys(explained[eitherQueue])) {
		n := explained[eitherQueue][cause]
		add(explained, "TCPReqQFullDrop", cause, min(n, full))
		add(explained, "ListenOverflows", cause, n-min(n, full))
		full -= min(n, full)
	}
}

func add(explained map[string]map[Cause]uint64, counter string, cause Cause, n uint64) {
	if n == 0 {
		return
	}
	if explained[counter] == nil {
		explained[counter] = map[Cause]uint64{}
	}
	explained[counter][cause] += n
}

// accountDrops tells what the flow's unanswered segments have moved.
func (it *item) accountDrops(cause Cause, h *history, moved func(p *place, counter string, n int)) {
	drops := func(n int, counters ...string) {
		for _, c := range counters {
			moved(it.server, c, n)
		}
	}
	switch cause {
	case FirewallDropSYN, FirewallRejectSYN, TimeWaitReuse, ICMPUnreachable:
	default:
		for _, s := range h.unansweredSYNs() {
			drops(1, it.droppedBy(s.at, cause)...)
		}
	}
	switch cause {
	case AcceptOverflowAbort, AcceptOverflowRetry:
		drops(1+h.stolen(), "ListenOverflows", "ListenDrops")
	case AcceptOverflowKept, CookieGhost, KeptExpired:
		drops(len(h.unansweredACKs()), "ListenOverflows", "ListenDrops")
	}
}
