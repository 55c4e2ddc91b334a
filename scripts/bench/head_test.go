package main

import "testing"

func TestHead(t *testing.T) {
	for _, test := range []struct {
		name     string
		pieces   []string
		complete int // with so many pieces
		closes   bool
	}{
		{"keep-alive of 1.1", []string{"GET / HTTP/1.1\r\nHost: a\r\n\r\n"}, 1, false},
		{"close of 1.1", []string{"GET / HTTP/1.1\r\nHost: a\r\nconnection: CLOSE\r\n\r\n"}, 1, true},
		{"1.0", []string{"GET / HTTP/1.0\r\n\r\n"}, 1, true},
		{"keep-alive of 1.0", []string{"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"}, 1, false},
		{"two pieces", []string{"GET / HTTP/1.1\r\nConnection: close\r\n", "\r\n"}, 2, true},
		{"a blank line in pieces", []string{"GET / HTTP/1.1\r", "\n\r", "\n"}, 3, false},
		{"a lone return", []string{"GET / HTTP/1.1\r\n\r\r\n", "\r\n"}, 2, false},
		{"no end", []string{"GET / HTTP/1.1\r\n", "Host: a\r\n"}, 0, false},
		{"something like it", []string{"GET /connection:%20close HTTP/1.1\r\nX-Connection: close\r\n\r\n"}, 1, false},
	} {
		var h head
		complete := 0
		for i, piece := range test.pieces {
			if h.feed([]byte(piece)) {
				complete = i + 1
				break
			}
		}
		if complete != test.complete || complete > 0 && h.closes != test.closes {
			t.Errorf("%s: complete with %d pieces, closes: %v, want %d, %v", test.name, complete, h.closes, test.complete, test.closes)
		}
	}
}
