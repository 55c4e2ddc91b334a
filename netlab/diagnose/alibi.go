package diagnose

import (
	"fmt"
	"time"
)

// alibis say why a cause cannot have been, or nothing. Each one asks only for what the
// cause must have left behind.
var alibis = map[Cause]func(*inquiry) string{
	Healthy:             func(q *inquiry) string { return first(q.ackLost(), q.notAnswered()) },
	AcceptOverflowAbort: (*inquiry).noOverflowReset,
	AcceptOverflowRetry: (*inquiry).noOverflowReset,
	AcceptOverflowKept: func(q *inquiry) string {
		return first(q.unmoved("ListenOverflows"), q.listenerDroppedNothing(), q.notRepeated(), q.acknowledgedBefore())
	},
	KeptExpired:   (*inquiry).notExpired,
	CookieGhost:   (*inquiry).noGhost,
	CookieACKLost: (*inquiry).ackNotLost,
	AcceptOverflowSYN: func(q *inquiry) string {
		return first(q.synNotSeen(), q.unmoved("ListenOverflows"), q.listenerDroppedNothing(), q.descriptorsRanOut())
	},
	OutOfDescriptors: func(q *inquiry) string {
		return first(q.synNotSeen(), q.unmoved("ListenOverflows"), q.listenerDroppedNothing(), q.hadDescriptors())
	},
	SYNQueueFull: func(q *inquiry) string {
		return first(q.synNotSeen(), q.unmoved("TCPReqQFullDrop"), q.listenerDroppedNothing())
	},
	MaxSYNBacklog: func(q *inquiry) string {
		return first(q.synNotSeen(), q.noThreeQuarterDrops(), q.listenerDroppedNothing())
	},
	FirewallDropSYN:    (*inquiry).everySYNCounted,
	ListenerClosed:     (*inquiry).notClosedWithQueue,
	ListenerClosedHalf: (*inquiry).notClosedHalf,
	MemberClosed:       (*inquiry).noMember,
	LingerZero:         func(q *inquiry) string { return first(q.unmoved("TCPAbortOnData"), q.neverLeft(), q.wasQueued()) },
	UnreadData: func(q *inquiry) string {
		return first(q.unmoved("TCPAbortOnClose"), q.neverLeft(), q.nothingToRead(), q.wasQueued(), q.crossedRequest())
	},
	MemoryPressure: func(q *inquiry) string { return first(q.unmoved("TCPAbortOnMemory"), q.neverLeft(), q.wasQueued()) },
	FastOpenClosed: func(q *inquiry) string {
		return first(when(q.h.begun() && !q.h.tfo, "the SYN carried no data"), q.neverLeft())
	},
	WriteAfterClose: func(q *inquiry) string {
		return first(q.neverLeft(), q.unmoved("OutRsts"), q.notAfterFIN(), q.crossedRequest())
	},
	KeepAliveRace:     (*inquiry).noRace,
	ClosedPort:        func(q *inquiry) string { return first(q.neverLeft(), q.unmoved("OutRsts")) },
	FirewallRejectSYN: (*inquiry).kernelSentAll,
	FirewallRejectACK: (*inquiry).kernelSentAll,
	InjectedRST:       (*inquiry).leftTheServer,
	DeferAccept: func(q *inquiry) string {
		return first(q.unmovedEver("TCPDeferAcceptDrop"), when(len(q.h.data) > 1, "the client sent data, and those complete the handshake"))
	},
}

func when(holds bool, why string) string {
	if holds {
		return why
	}
	return ""
}

// unmovedEver is like unmoved for a counter that may have moved long before the event.
func (q *inquiry) unmovedEver(names ...string) string {
	for _, name := range names {
		if n, known := q.server.moved(name, all); known && n == 0 {
			return fmt.Sprintf("%s at the server did not move", name)
		}
	}
	return ""
}

func (q *inquiry) noOverflowReset() string {
	return first(q.neverLeft(), q.served(), q.unmoved("EmbryonicRsts", "ListenOverflows", "OutRsts"), q.listenerDroppedNothing(),
		q.sysctlIs("net.ipv4.tcp_abort_on_overflow", "0"))
}

// sysctlIs is an alibi: a setting was read and rules the cause out.
func (q *inquiry) sysctlIs(key, value string) string {
	return when(q.server.sysctlIs(key, value), fmt.Sprintf("%s is %s", key, value))
}

// listenerDroppedNothing is an alibi by listener, where counters speak for the whole
// namespace only.
func (q *inquiry) listenerDroppedNothing() string {
	if n, known := q.server.drops(q.flow.server, q.window()); known && n == 0 {
		return fmt.Sprintf("the listener on %v dropped nothing%s", q.flow.server, q.window().inWords())
	}
	return ""
}

// neverLeft is an alibi of everything that the server's kernel sends: both ends were
// captured, and the RST was seen at the client's only.
func (q *inquiry) neverLeft() string {
	if q.near != nil && q.far != nil && q.server.captured() && q.near.rst() != nil && q.far.rst() == nil {
		return "the RST was seen at the client's end and never left the server"
	}
	return ""
}

// leftTheServer is the alibi of whoever injects.
func (q *inquiry) leftTheServer() string {
	if q.far != nil && q.far.rst() != nil {
		return "the RST crossed the server's own interface"
	}
	return ""
}

// stillListening is an alibi: the listener was there after the RST.
func (q *inquiry) stillListening() string {
	return when(q.server.alive(q.flow.server, q.event()+margin),
		fmt.Sprintf("the listener on %v was still there", q.flow.server))
}

// wasQueued is an alibi of the program: the listener was closed, and as many waited in
// its accept queue as were reset, so nobody had accepted them.
func (q *inquiry) wasQueued() string {
	if q.server == nil {
		return ""
	}
	w := q.window()
	waiting, resets := q.server.buried(q.flow.server, w), within(q.server.hard[q.flow.server], w)
	return when(waiting > 0 && waiting == resets, fmt.Sprintf("the listener on %v was closed with %d in its accept queue, and as many were reset", q.flow.server, waiting))
}

func (q *inquiry) notClosedHalf() string {
	return first(q.neverLeft(), q.served(), q.unmoved("OutRsts"), q.allEmbryonic(), q.stillListening(), q.reusePort())
}

// reusePort is an alibi of the only listener: there were several on the address.
func (q *inquiry) reusePort() string {
	return when(q.members() > 1, fmt.Sprintf("%d sockets listened on %v, and one of them was closed", q.members(), q.flow.server))
}

// members is how many sockets were seen to listen on the flow's address at one time; 0 if
// nobody looked. A listener that was closed and opened again is one.
func (q *inquiry) members() (most int) {
	there := map[uint32]bool{}
	for s := range q.server.listeners(q.flow.server) { // of one time, first who is gone
		if s.Gone {
			delete(there, s.Inode)
		} else {
			there[s.Inode] = true
		}
		most = max(most, len(there))
	}
	return most
}

func (q *inquiry) noMember() string {
	return first(q.neverLeft(), q.accepted(), q.unmoved("OutRsts"), q.allEmbryonic(), q.abortCounted(),
		when(q.members() == 1, fmt.Sprintf("only one socket listened on %v", q.flow.server)))
}

func (q *inquiry) notClosedWithQueue() string {
	return first(q.neverLeft(), when(q.h.tfo, "the SYN carried data"), q.accepted(), q.unmoved("OutRsts", "EstabResets"), q.abortCounted(), q.reusePort(), q.stillListening())
}

// synNotSeen is an alibi of the server: no SYN reached it.
func (q *inquiry) synNotSeen() string {
	return when(q.near != nil && q.far == nil && q.server.captured(), "no SYN reached the server's interface")
}

func (q *inquiry) descriptorsRanOut() string {
	line, ok := q.server.logged("accept", "too many open files")
	return when(ok, fmt.Sprintf("the accept queue is full because the program cannot accept: %q", line.Text))
}

func (q *inquiry) hadDescriptors() string {
	return when(q.server != nil && q.server.Log != nil && q.descriptorsRanOut() == "", "the program's log has no accept that failed")
}

// firstSYNACKTimeout is when a SYN-ACK is repeated for the first time.
const firstSYNACKTimeout = time.Second

// notRepeated is an alibi of a request that is kept: its SYN-ACK would have come again.
func (q *inquiry) notRepeated() string {
	if len(q.h.synAcks) != 1 {
		return ""
	}
	waited := q.end - q.h.synAcks[0].at
	if rst := q.h.rst(); rst != nil {
		waited = rst.at - q.h.synAcks[0].at
	}
	return when(waited > firstSYNACKTimeout+promptly, "its SYN-ACK was not repeated after a second")
}

// repeatedSYNACK is an alibi of a SYN cookie, of which the server keeps nothing to repeat.
func (q *inquiry) repeatedSYNACK() string {
	return when(len(q.h.synAcks) > 1, "its SYN-ACK was repeated, which is never done with a SYN cookie")
}

// notExpired: a request whose SYN-ACK was sent n times lives for 2^n - 1 seconds, and
// its timer is counted each time.
func (q *inquiry) notExpired() string {
	rst := q.h.rst()
	lives := time.Duration(1<<min(len(q.h.synAcks), 10)-1) * firstSYNACKTimeout
	return first(q.neverLeft(), q.served(), q.unmoved("OutRsts"), q.unmovedEver("ListenOverflows", "TCPTimeouts"), q.allEmbryonic(), q.repeatsMissing(),
		when(rst != nil && len(q.h.synAcks) > 0 && rst.at-q.h.synAcks[0].at < lives-promptly,
			fmt.Sprintf("a request whose SYN-ACK was sent %d times lives for %v", len(q.h.synAcks), lives)))
}

// repeatsMissing is an alibi of a request where tcp_synack_retries is known: its SYN-ACK
// would have come again.
func (q *inquiry) repeatsMissing() string {
	const retries = "net.ipv4.tcp_synack_retries"
	if q.server == nil || q.server.Sysctls[retries] == "" || q.server.Sysctls[retries] == "0" {
		return ""
	}
	return q.notRepeated()
}

func (q *inquiry) noGhost() string {
	return first(q.neverLeft(), q.served(), q.acknowledgedBefore(), q.repeatedSYNACK(), q.unmovedEver("SyncookiesRecv", "ListenOverflows"),
		when(q.h.rst() != nil, q.unmoved("OutRsts")), when(q.h.rst() != nil, q.allEmbryonic()))
}

// ackLost is about a client that is established at its own end only.
func (q *inquiry) ackLost() string {
	return when(q.class == silent && q.near != nil && q.server.captured() && (q.far == nil || len(q.far.acks)+len(q.far.data) == 0),
		"the client's ACK never reached the server's interface")
}

func (q *inquiry) ackNotLost() string {
	return first(
		when(q.far != nil && len(q.far.acks)+len(q.far.data) > 0, "the client's ACK reached the server's interface"),
		q.repeatedSYNACK(), q.unmovedEver("SyncookiesSent"))
}

// crossedRequest is about a connection that was used before: its client sent another
// request while the server was closing.
func (q *inquiry) crossedRequest() string {
	return when(q.h.exchanges > 0 && q.racing(), "the connection had answered before, and the client's next request crossed the close")
}

// racing tells whether the latest data are a request that was not answered.
func (q *inquiry) racing() bool {
	last := q.h.lastData
	return q.h.request || last != nil && last.fromClient && isRequest(last.text)
}

func (q *inquiry) noRace() string {
	hidden := !q.h.begun() || q.h.opaque && q.h.answered // the answers may be there, unseen
	return first(q.neverLeft(), when(q.crossedRequest() == "" && !hidden, "no request on a connection that had answered before crossed the close"), q.unmoved("OutRsts"))
}

func (q *inquiry) notAfterFIN() string {
	return when(q.far != nil && q.class == strayRST && q.far.serverFIN == nil, "the server had sent no FIN")
}
