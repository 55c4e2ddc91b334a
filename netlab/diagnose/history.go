package diagnose

import (
	"slices"
	"strings"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// history is what one view of a flow shows, in the terms in which causes differ.
type history struct {
	view []segment

	syns       []segment // the client's, the first and its repeats
	synAcks    []segment // the server's
	acks       []segment // the client's bare ACKs before the server has acknowledged anything but its SYN
	data       []segment // the client's data until the server acknowledges it, repeats too
	challenged bool      // a SYN was answered by an ACK without SYN
	tfo        bool      // the SYN carried data, TCP Fast Open
	dataAcked  bool      // the server's kernel has some of the client's data
	answered   bool      // the server has sent data
	repeated   []segment // the client's data that was sent again after the server had acknowledged some before, and not since
	resent     bool      // some data were sent again before the server had acknowledged any
	opaque     bool      // there are data that cannot be read: encrypted, or cut off
	serverFIN  *segment
	clientFIN  *segment
	late       []segment // the client's data after the server's FIN
	rsts       []segment // the server's
	ownRSTs    []segment // the client's
	exchanges  int       // answers of HTTP that the server sent
	request    bool      // the client's late data begin an HTTP request
	lastData   *segment  // the latest data of either side that were not sent before

	sent [2]uint32 // the sequence number after all that the client and the server have sent
}

// read goes through a view once. What the history had before is gone, but for the memory.
func (h *history) read(view []segment) {
	*h = history{
		view: view, syns: h.syns[:0], synAcks: h.synAcks[:0], acks: h.acks[:0], data: h.data[:0],
		repeated: h.repeated[:0], late: h.late[:0], rsts: h.rsts[:0], ownRSTs: h.ownRSTs[:0],
	}
	for i := range view {
		s := &view[i]
		h.opaque = h.opaque || s.length > 0 && unreadable(s.text)
		if s.fromClient {
			h.fromClient(s, &h.sent[0])
		} else {
			h.fromServer(s, &h.sent[1])
		}
	}
}

// unreadable tells data that were not captured, and TLS: RFC 8446, section 5.1.
func unreadable(text string) bool {
	return text == "" || len(text) > 1 && text[0] >= 0x14 && text[0] <= 0x17 && text[1] == 3
}

// fresh tells whether a segment's data were not sent before, and counts them as sent.
func fresh(s *segment, next *uint32) bool {
	after := s.seq + uint32(s.length)
	if *next != 0 && int32(after-*next) <= 0 {
		return false
	}
	*next = after
	return true
}

func (h *history) fromClient(s *segment, next *uint32) {
	switch {
	case s.has(scenario.RST):
		h.ownRSTs = append(h.ownRSTs, *s)
	case s.has(scenario.SYN):
		*next = s.seq + 1
		h.syns = append(h.syns, *s)
		h.tfo = h.tfo || s.length > 0
	case s.length > 0:
		h.clientData(s, next)
	case s.pure() && !h.dataAcked && !h.answered && h.serverFIN == nil:
		h.acks = append(h.acks, *s)
	}
	if s.has(scenario.FIN) && h.clientFIN == nil {
		h.clientFIN = s
	}
}

func (h *history) clientData(s *segment, next *uint32) {
	again := !fresh(s, next)
	if !again {
		h.lastData = s
	}
	switch {
	case h.serverFIN != nil:
		h.late = append(h.late, *s)
		h.request = h.request || isRequest(s.text)
	case !h.dataAcked:
		h.data = append(h.data, *s)
		h.resent = h.resent || again
	case again:
		h.repeated = append(h.repeated, *s)
	}
}

func (h *history) fromServer(s *segment, next *uint32) {
	switch {
	case s.has(scenario.RST):
		h.rsts = append(h.rsts, *s)
		return
	case s.has(scenario.SYN | scenario.ACK):
		h.synAcks = append(h.synAcks, *s)
		return
	case s.has(scenario.ACK) && len(h.synAcks) == 0 && len(h.syns) > 0:
		h.challenged = true
	}
	if s.has(scenario.ACK) && len(h.data) > 0 && int32(s.ack-h.data[0].seq) > 0 {
		h.dataAcked = true
	}
	if s.has(scenario.ACK) && int32(s.ack-h.sent[0]) >= 0 {
		h.repeated = h.repeated[:0]
	}
	if s.length > 0 {
		h.answered = true
		if fresh(s, next) {
			h.lastData = s
			if strings.HasPrefix(s.text, "HTTP/") {
				h.exchanges++
			}
		}
	}
	if s.has(scenario.FIN) && h.serverFIN == nil {
		h.serverFIN = s
	}
}

var methods = []string{"GET ", "POST ", "PUT ", "HEAD ", "DELETE ", "PATCH ", "OPTIONS "}

func isRequest(text string) bool {
	for _, m := range methods {
		if strings.HasPrefix(text, m) {
			return true
		}
	}
	return false
}

// recovered tells whether the server answered in the end.
func (h *history) recovered() bool {
	return len(h.rsts) == 0 && (h.dataAcked || h.answered || h.serverFIN != nil)
}

// rst is the server's first RST, or nil.
func (h *history) rst() *segment {
	if len(h.rsts) == 0 {
		return nil
	}
	return &h.rsts[0]
}

// unansweredSYNs are the client's SYNs before the one that was answered, or all of them.
func (h *history) unansweredSYNs() []segment {
	n := len(h.syns)
	if len(h.synAcks) > 0 {
		n = 0
		for n < len(h.syns) && h.syns[n].at <= h.synAcks[0].at {
			n++
		}
	}
	if len(h.synAcks) > 0 || len(h.rsts) > 0 || h.challenged {
		n--
	}
	return h.syns[:max(0, n)]
}

// unansweredACKs are the client's ACKs and data that nothing answered: all but one for
// each RST, or but the one that the server took in the end.
func (h *history) unansweredACKs() []segment {
	sent := slices.Concat(h.acks, h.data)
	answered := len(h.rsts)
	if h.recovered() {
		answered = 1
	}
	return sent[:max(0, len(sent)-answered)]
}

// begun tells whether the view has the beginning of the connection.
func (h *history) begun() bool { return len(h.syns) > 0 }

// maxShape bounds the segments in a shape.
const maxShape = 16

// shape is the view in one line, such as ">S <S. >. <R". A pause of more than half a
// second stands in brackets.
func (h *history) shape() string { return string(h.appendShape(nil)) }

func (h *history) appendShape(text []byte) []byte {
	for i, s := range h.view {
		if i == maxShape {
			return append(text, " ..."...)
		}
		if i > 0 {
			text = append(text, ' ')
			if pause := s.at - h.view[i-1].at; pause > 500*time.Millisecond {
				text = append(text, "("+pause.Round(100*time.Millisecond).String()+") "...)
			}
		}
		text = append(text, s.token()...)
	}
	return text
}
