package diagnose

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// item is a flow with what is known of it.
type item struct {
	*flow
	h              *history // from the client's end, or else from where it was seen
	class          class
	client, server *place        // nil if unknown
	near, far      *history      // as seen at the client and at the server; nil if not captured there
	viewer         *place        // where h was seen
	end            time.Duration // of all evidence
	failed         bool          // its client was told of a failure
}

// atServer is the view from the server's end, or else the one there is.
func (it *item) atServer() *history {
	if it.far != nil {
		return it.far
	}
	return it.h
}

// inquiry goes through the possible causes of one flow and rules out what the evidence
// contradicts. Its memory is used again for the next one.
type inquiry struct {
	*item
	shape    string
	left     []Cause
	excluded []Exclusion
	clues    []Clue
	shared   *shared
}

func newInquiry() *inquiry { return &inquiry{shared: newShared()} }

// open names the causes of a flow's class, the most usual first, and asks each for its
// alibi.
func (q *inquiry) open(it *item) *inquiry {
	q.item, q.left, q.excluded, q.clues = it, append(q.left[:0], suspects[it.class]...), q.excluded[:0], q.clues[:0]
	q.shape = q.shared.text(it.h.appendShape)
	q.clue("the packets are "+q.shape, it.h.view[0])
	if it.class == unreached {
		e := it.unreachable[0].what
		q.clues = append(q.clues, Clue{Text: "an ICMP error came, " + e.what, Host: q.viewer.Host, At: e.at, Packet: e.number})
	}
	if it.class == ignored {
		q.clues = append(q.clues, Clue{Text: "its client was told of a failure"})
	}
	for _, c := range suspects[it.class] {
		if alibi, ok := alibis[c]; ok {
			if why := alibi(q); why != "" {
				q.ruleOut(c, why)
			}
		}
	}
	return q
}

// suspects are the causes that each class of failure can have.
var suspects = map[class][]Cause{
	healthy:      {Healthy},
	partial:      {Unknown},
	refused:      {ClosedPort, FirewallRejectSYN, InjectedRST},
	unreached:    {ICMPUnreachable},
	unanswered:   {Healthy, AcceptOverflowSYN, OutOfDescriptors, SYNQueueFull, MaxSYNBacklog, FirewallDropSYN},
	delayed:      {AcceptOverflowSYN, OutOfDescriptors, SYNQueueFull, MaxSYNBacklog, FirewallDropSYN},
	handshakeRST: {AcceptOverflowAbort, ListenerClosedHalf, MemberClosed, FirewallRejectACK, InjectedRST},
	retriedRST:   {AcceptOverflowRetry, ListenerClosedHalf, MemberClosed, FirewallRejectACK, InjectedRST},
	lateRST:      {KeptExpired, CookieGhost, AcceptOverflowAbort, ListenerClosedHalf, MemberClosed, FirewallRejectACK, InjectedRST},
	abortRST:     {ListenerClosed, MemberClosed, UnreadData, LingerZero, KeepAliveRace, MemoryPressure, FastOpenClosed, InjectedRST},
	closedWrite:  {WriteAfterClose, KeepAliveRace, InjectedRST},
	strayRST:     {WriteAfterClose, KeepAliveRace, ListenerClosedHalf, CookieGhost, KeptExpired, FirewallRejectACK, InjectedRST},
	middleRST:    {WriteAfterClose, KeepAliveRace, AcceptOverflowAbort, AcceptOverflowRetry, ListenerClosedHalf, MemberClosed, CookieGhost, KeptExpired, FirewallRejectACK, InjectedRST},
	kept:         {AcceptOverflowKept, DeferAccept},
	ghost:        {Healthy, CookieGhost, AcceptOverflowKept},
	silent:       {Healthy, CookieACKLost, AcceptOverflowKept, CookieGhost, DeferAccept},
	timeWait:     {TimeWaitReuse},
	ignored:      {NotAnswered},
	gaveUp:       {UserTimeout, CookieGhost, AcceptOverflowKept},
}

func (q *inquiry) ruleOut(c Cause, why string) {
	q.left = slices.DeleteFunc(q.left, func(l Cause) bool { return l == c })
	q.excluded = append(q.excluded, Exclusion{c, why})
}

// clue notes what speaks for the cause; s is the packet that it is about.
func (q *inquiry) clue(text string, s segment) {
	q.clues = append(q.clues, Clue{Text: text, Host: q.viewer.Host, At: s.at, Packet: s.number})
}

// counted notes a counter that speaks for the cause.
func (q *inquiry) counted(host *place, name string, w window) {
	if n, known := host.moved(name, w); known && n > 0 {
		q.clues = append(q.clues, Clue{Text: fmt.Sprintf("%s moved by %d%s", name, n, w.inWords()), Host: host.Host})
	}
}

func (w window) inWords() string {
	from, to := max(0, w.from).Round(time.Millisecond), w.to.Round(time.Millisecond)
	switch {
	case w == all:
		return ""
	case w.to == all.to:
		return fmt.Sprintf(" after %v", from)
	case w.from == all.from:
		return fmt.Sprintf(" before %v", to)
	}
	return fmt.Sprintf(" between %v and %v", from, to)
}

// event is when the failure happened, at the server's end if that was captured: the
// RST, or the first segment that should have been answered.
func (q *inquiry) event() time.Duration {
	h := q.atServer()
	switch rst := h.rst(); {
	case rst != nil:
		return rst.at
	case len(h.synAcks) == 0 || q.class == delayed:
		return h.view[0].at
	case len(h.data) > 0:
		return h.data[0].at
	case len(h.acks) > 0:
		return h.acks[0].at
	}
	return h.view[0].at
}

// window is the one around the event.
func (q *inquiry) window() window {
	return q.server.around(q.event())
}

// unmoved is an alibi: the server's counters were read, and this one did not move when
// it would have had to.
func (q *inquiry) unmoved(names ...string) string {
	for _, name := range names {
		if n, known := q.server.moved(name, q.window()); known && n == 0 {
			return fmt.Sprintf("%s at the server did not move%s", name, q.window().inWords())
		}
	}
	return ""
}

// first is the first of several alibis that holds.
func first(alibis ...string) string {
	for _, a := range alibis {
		if a != "" {
			return a
		}
	}
	return ""
}

// proofs are the counters at the server that speak for a cause.
var proofs = map[Cause][]string{
	AcceptOverflowAbort: {"EmbryonicRsts", "ListenOverflows"},
	AcceptOverflowRetry: {"EmbryonicRsts", "ListenOverflows"},
	AcceptOverflowKept:  {"ListenOverflows"},
	KeptExpired:         {"OutRsts"},
	CookieGhost:         {"SyncookiesRecv", "ListenOverflows"},
	CookieACKLost:       {"SyncookiesSent"},
	AcceptOverflowSYN:   {"ListenOverflows"},
	OutOfDescriptors:    {"ListenOverflows"},
	SYNQueueFull:        {"TCPReqQFullDrop"},
	MaxSYNBacklog:       {"ListenDrops"},
	ListenerClosed:      {"OutRsts", "EstabResets"},
	ListenerClosedHalf:  {"OutRsts"},
	MemberClosed:        {"OutRsts"},
	LingerZero:          {"TCPAbortOnData"},
	UnreadData:          {"TCPAbortOnClose"},
	MemoryPressure:      {"TCPAbortOnMemory"},
	WriteAfterClose:     {"OutRsts"},
	KeepAliveRace:       {"OutRsts"},
	ClosedPort:          {"OutRsts"},
	DeferAccept:         {"TCPDeferAcceptDrop"},
	FastOpenClosed:      {"OutRsts"},
}

// conclude turns the inquiry into a flow of the report.
func (q *inquiry) conclude() Flow {
	if len(q.left) == 0 {
		q.left = append(q.left, Unknown)
	}
	cause := q.left[0]
	for _, name := range proofs[cause] {
		q.counted(q.server, name, q.window())
	}
	f := Flow{
		Client: q.flow.client, Server: q.flow.server, Name: q.flow.name(),
		Shape: q.shape, First: q.began, Last: q.last(),
		Cause: cause, Grade: q.grade(cause), Candidates: q.shared.causes(q.left),
		For: q.shared.clues(q.clues), Against: q.against(cause), RuledOut: q.shared.exclusions(q.excluded), Cure: q.cure(cause),
		Recovered: cause != Healthy && !q.failed && q.h.recovered(),
	}
	if len(q.left) > 1 {
		f.CaptureNext = q.captureNext()
	}
	return f
}

// cure is what to do about the cause. Where the queue was too short and it is known what
// made it so, that comes first.
func (q *inquiry) cure(cause Cause) string {
	cure := about[cause].cure
	if cure != largerQueue || q.server == nil {
		return cure
	}
	for listener := range q.server.listeners(q.flow.server) {
		return q.shared.text(func(text []byte) []byte {
			return appendLargerQueue(text, listener.Limit, q.server.Sysctls["net.core.somaxconn"])
		})
	}
	return cure
}

// appendLargerQueue names the smaller of backlog and somaxconn, which is the limit.
func appendLargerQueue(text []byte, limit uint32, somaxconn string) []byte {
	most, err := strconv.ParseUint(somaxconn, 10, 32)
	switch {
	case err != nil:
		return append(text, largerQueue...)
	case uint64(limit) < most:
		text = fmt.Appendf(text, "raise the backlog of listen(2), which is %d (net.core.somaxconn allows %d)", limit, most)
	default:
		text = fmt.Appendf(text, "raise net.core.somaxconn, which is %d, and the backlog of listen(2) if it asks for no more", most)
	}
	return append(text, ", accept faster, or let clients connect at a pace"...)
}

// against is what the cause does not explain.
func (q *inquiry) against(cause Cause) (clues []Clue) {
	add := func(text string, s segment) {
		clues = append(clues, Clue{Text: text, Host: q.viewer.Host, At: s.at, Packet: s.number})
	}
	if cause == Healthy && q.failed {
		clues = append(clues, Clue{Text: "its client was told of a failure, which was not the connection's: look at what the program answered"})
	}
	if cause == Healthy && len(q.h.ownRSTs) > 0 {
		add("the client itself reset the connection", q.h.ownRSTs[0])
	}
	if n := len(q.h.unansweredSYNs()); n > 0 && (q.class == refused || q.class == abortRST) {
		add(fmt.Sprintf("nothing had answered the client's first SYN, nor %d more, as when the accept queue is full", n-1), q.h.syns[0])
	}
	return clues
}

// conclusive are the causes that packets alone can prove.
var conclusive = []Cause{Healthy, ICMPUnreachable, TimeWaitReuse, InjectedRST}

// grade is how sure the first candidate is: certain if it is the only one left and more
// than its shape was looked at, likely if something speaks for it beyond that, or if
// the shape is its own.
func (q *inquiry) grade(cause Cause) Grade {
	switch {
	case cause == Unknown:
		return Possible
	case len(q.left) == 1 && (q.server.counted() || slices.Contains(conclusive, cause)):
		return Certain
	case len(q.left) == 1, len(q.clues) > 1, q.class == handshakeRST, q.class == retriedRST:
		return Likely
	}
	return Possible
}

// captureNext says what would separate the candidates.
func (q *inquiry) captureNext() string {
	switch {
	case !q.server.counted():
		return "read /proc/net/netstat and /proc/net/snmp at the server before and after, every 10 ms if causes may be mixed"
	case q.far == nil:
		return "capture at the server's end too"
	case q.server.Queues == nil:
		return "sample the accept queue and the drops of each listener"
	}
	return "trace tcp:tcp_send_reset and skb:kfree_skb at the server"
}
