package main

import "bytes"

// The answers to every request. ab keeps a connection only if it is told so.
const (
	keepsOpen = "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nok\n"
	isClosed  = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nok\n"
)

// head is how far a request's head has come. Requests have no bodies.
type head struct {
	end    int  // so many bytes of the blank line at its end
	old    bool // it is HTTP/1.0, which closes unless it is asked to keep open
	keeps  bool
	closes bool // valid when the head is complete
}

var (
	oldVersion = []byte(" HTTP/1.0\r\n")
	keepLine   = []byte("connection: keep-alive")
	closeLine  = []byte("connection: close")
)

const blankLine = "\r\n\r\n"

// feed takes the next bytes of a request and tells whether it is complete. The words
// that it looks for arrive whole: all tools write a request in one piece.
func (h *head) feed(p []byte) (complete bool) {
	h.old = h.old || bytes.Contains(p, oldVersion)
	h.keeps = h.keeps || containsLine(p, keepLine)
	h.closes = h.closes || containsLine(p, closeLine)
	if bytes.HasSuffix(p, []byte(blankLine)) {
		h.end = len(blankLine)
	} else {
		for i := 0; i < len(p) && h.end < len(blankLine); i++ {
			h.next(p[i])
		}
	}
	if h.end < len(blankLine) {
		return false
	}
	h.closes = h.closes || h.old && !h.keeps
	return true
}

func (h *head) next(b byte) {
	switch b {
	case blankLine[h.end]:
		h.end++
	case '\r':
		h.end = 1
	default:
		h.end = 0
	}
}

// containsLine looks for a line of a head that begins so, in capitals or not. It
// allocates nothing.
func containsLine(p []byte, word []byte) bool {
	for at := bytes.IndexByte(p, '\n'); at >= 0; at = bytes.IndexByte(p, '\n') {
		p = p[at+1:]
		if len(p) >= len(word) && bytes.EqualFold(p[:len(word)], word) {
			return true
		}
	}
	return false
}
