package diagnose

import (
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// class is a shape of failure. Each class has several possible causes, which other
// evidence tells apart.
type class uint8

const (
	healthy      class = iota
	partial            // too little of it was captured
	refused            // a RST answered the SYN
	unreached          // an ICMP error answered
	unanswered         // nothing answered the SYN
	delayed            // nothing answered the first SYN, and a later one was answered
	handshakeRST       // a RST without ACK answered the first segment after the SYN-ACK
	retriedRST         // the same, after the SYN-ACK was repeated
	lateRST            // a RST without ACK answered data, after an ACK that nothing answered
	abortRST           // a RST with ACK: a socket was closed hard
	closedWrite        // a RST answered data after the server's FIN
	strayRST           // a RST without ACK in the middle of a connection
	middleRST          // the same in a connection of which nothing before was captured
	kept               // the SYN-ACK was repeated although the client has answered it
	ghost              // nothing answers the first data, and the SYN-ACK is not repeated
	silent             // established, and then nobody said anything
	timeWait           // the SYN met a connection of before
	gaveUp             // data repeated until the client gave up
	ignored            // healthy on the wire, and its client was told of a failure
)

// promptly is how soon a RST follows what it answers, beyond two round trips: a busy
// machine may take a while.
const promptly = 50 * time.Millisecond

// classify names the class of a history.
func (h *history) classify(icmp bool) class {
	rst := h.rst()
	switch {
	case icmp:
		return unreached
	case h.challenged && len(h.ownRSTs) > 0:
		return timeWait
	case len(h.synAcks) == 0:
		return h.classifyUnanswered(rst)
	case rst != nil:
		return h.classifyReset(rst)
	case len(h.repeated) >= 2:
		return gaveUp
	case h.askedAgain():
		return kept
	case h.resent && h.begun() && h.data[len(h.data)-1].at-h.data[0].at > promptly:
		return ghost // though its data may have been acknowledged in the end
	case h.dataAcked || h.answered || h.serverFIN != nil || !h.begun():
		if len(h.unansweredSYNs()) > 0 {
			return delayed
		}
		return healthy
	case len(h.data) > 0:
		return ghost
	case len(h.acks) > 0:
		return silent
	case len(h.ownRSTs) > 0:
		return healthy // the client looked whether somebody listens
	}
	return partial
}

// askedAgain tells whether the SYN-ACK was repeated although the client had answered it.
// Where it had not, as this view shows, its ACK was lost on the way.
func (h *history) askedAgain() bool {
	last := h.synAcks[len(h.synAcks)-1].at
	return len(h.synAcks) > 1 && (len(h.acks) > 0 && h.acks[0].at < last || len(h.data) > 0 && h.data[0].at < last)
}

// classifyMiddle is about a connection that began before the capture did.
func (h *history) classifyMiddle(rst *segment) class {
	switch {
	case rst == nil && (len(h.repeated) >= 2 || h.resent && !h.dataAcked):
		return gaveUp
	case rst == nil:
		return healthy
	case h.serverFIN != nil || h.dataAcked || h.answered || rst.has(scenario.ACK):
		return h.classifyReset(rst)
	}
	return middleRST
}

func (h *history) classifyUnanswered(rst *segment) class {
	switch {
	case !h.begun():
		return h.classifyMiddle(rst)
	case rst != nil && rst.has(scenario.ACK):
		return refused
	case rst != nil:
		return strayRST
	}
	return unanswered
}

func (h *history) classifyReset(rst *segment) class {
	switch {
	case h.serverFIN != nil && len(h.late) > 0 && h.serverFIN.at <= rst.at:
		return closedWrite
	case rst.has(scenario.ACK):
		return abortRST
	case h.dataAcked || h.answered || len(h.acks)+len(h.data) == 0:
		return strayRST
	}
	trigger, before := h.answeredBy()
	switch {
	case trigger == nil:
		return strayRST
	case len(h.synAcks) > 1 && trigger.length == 0:
		return retriedRST
	case before != nil && trigger.at-before.at > 2*h.rtt()+promptly:
		return lateRST
	}
	return handshakeRST
}

// answeredBy is the client's segment that the first RST answers, the last one before it,
// and the one before that; nil if there is none.
func (h *history) answeredBy() (trigger, before *segment) {
	for i := range h.view {
		s := &h.view[i]
		if !s.fromClient && s.has(scenario.RST) {
			break
		}
		if s.fromClient && !s.has(scenario.SYN) && !s.has(scenario.RST) {
			trigger, before = s, trigger
		}
	}
	return trigger, before
}

// rtt is from the last SYN before the first SYN-ACK to that; zero if none was captured.
func (h *history) rtt() time.Duration {
	last := h.synAcks[0].at
	for _, s := range h.syns {
		if s.at <= h.synAcks[0].at {
			last = s.at
		}
	}
	return h.synAcks[0].at - last
}
