package diagnose

import (
	"fmt"
	"time"
)

// Alibis from what the server said or did not say, and from what it dropped in silence.

// accepted is an alibi of the accept queue: a program that sends has accepted.
func (q *inquiry) accepted() string {
	return when(q.h.answered, "the server had sent data, so its program had accepted the connection")
}

// served is an alibi of a server that has no connection: it had one.
func (q *inquiry) served() string {
	if q.class != strayRST && q.class != middleRST && q.class != closedWrite {
		return ""
	}
	return first(q.accepted(), when(q.h.dataAcked, "the server had acknowledged the client's data"))
}

// acknowledgedBefore is the same for one that falls silent.
func (q *inquiry) acknowledgedBefore() string {
	return when(q.class == gaveUp && (q.h.dataAcked || q.h.answered), "the server had acknowledged the client's data before")
}

// nothingToRead is an alibi of a close with unread data.
func (q *inquiry) nothingToRead() string {
	return when(q.h.begun() && !q.h.tfo && len(q.h.data)+len(q.h.late)+len(q.h.repeated) == 0, "the client had sent no data")
}

// soon is how long nothing can be concluded from silence: an answer may be under way,
// and a repeat comes later. The shortest time-out of TCP is 200 ms, that of a SYN 1 s.
const soon = 300 * time.Millisecond

// notAnswered is about a client that waits for an answer. Without counters that tell more
// it may be too early to say that anything is wrong.
func (q *inquiry) notAnswered() string {
	if q.class != unanswered && q.class != ghost {
		return ""
	}
	asked, again := q.h.syns[0], len(q.h.syns) > 1
	if q.class == ghost {
		asked, again = q.h.data[0], q.h.resent
	}
	end := q.end
	if len(q.h.ownRSTs) > 0 {
		end = min(end, q.h.ownRSTs[0].at)
	}
	return when(q.server.counted() || again || end-asked.at > soon, "the client was not answered")
}

// everySYNCounted is the firewall's alibi: the kernel counted each SYN that got no
// answer. Counters are compared around the SYN and over the whole run, since at the
// edges of a window a SYN may be counted on the other side.
func (q *inquiry) everySYNCounted() string {
	if q.server == nil {
		return ""
	}
	for _, w := range []window{q.window(), all} {
		if why := q.synsCounted(w); why != "" {
			return why
		}
	}
	return ""
}

func (q *inquiry) synsCounted(w window) string {
	here, everywhere := within(q.server.silent[q.flow.server.Port()], w), within(q.server.silence, w)
	if n, looked := q.server.drops(q.flow.server, w); looked {
		return when(n > 0 && int(n) >= here,
			fmt.Sprintf("the listener on %v dropped %d, and %d segments to it got no answer%s", q.flow.server, n, here, w.inWords()))
	}
	n, known := q.server.moved("ListenDrops", w)
	return when(known && n > 0 && n >= uint64(everywhere),
		fmt.Sprintf("the kernel counted the SYNs that it dropped: ListenDrops moved by %d, and %d segments got no answer%s", n, everywhere, w.inWords()))
}

// gatherSilence tells the server when something was sent to it that a full queue would
// have dropped, and that ListenDrops would then have counted: what got no answer, or the
// RST of a full accept queue, which counts as a drop too.
func (it *item) gatherSilence() {
	p, port, h := it.server, it.flow.server.Port(), it.atServer()
	note := func(at time.Duration) {
		p.silence = append(p.silence, at)
		p.silent[port] = append(p.silent[port], at)
	}
	for _, s := range h.unansweredSYNs() {
		note(s.at)
	}
	switch it.class {
	case handshakeRST, retriedRST:
		note(it.h.rst().at)
	case kept, ghost, lateRST:
		for _, s := range h.unansweredACKs() {
			note(s.at)
		}
	}
}
