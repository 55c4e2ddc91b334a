package main

import (
	"fmt"
	"io"
	"net"
	"testing"
	"time"
)

// asked is a server with one connection to it. The test closes both.
func asked(t *testing.T, plan serverPlan) (*stage, net.Conn) {
	t.Helper()
	s, err := newStage(t)
	if err != nil {
		t.Fatal(err)
	}
	s.serve(plan)
	conn, err := s.client.DialContext(t.Context(), "tcp4", fmt.Sprintf("%s:%d", s.server.Addr(), port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(firstPatience))
	return s, conn
}

const request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

func TestServerKeepsOpen(t *testing.T) {
	s, conn := asked(t, serverPlan{Expect: 1})
	for range 2 {
		io.WriteString(conn, request)
		answer := make([]byte, len(keepsOpen))
		if _, err := io.ReadFull(conn, answer); err != nil || string(answer) != keepsOpen {
			t.Fatalf("the server answers %q, %v, want %q", answer, err, keepsOpen)
		}
	}
	got, err := s.stop()
	if err != nil || got.Expected <= 0 || got.Last <= got.Expected {
		t.Fatalf("%+v, %v, want the time of the first answer and a later one of the last", got, err)
	}
	got.Expected, got.Last = 0, 0
	if want := (served{Accepted: 1, Answered: 2, Connections: 1, Peak: 1, Open: 1}); got != want {
		t.Errorf("the server counted %+v, want %+v", got, want)
	}
}

func TestServerCloses(t *testing.T) {
	s, conn := asked(t, serverPlan{Close: true})
	io.WriteString(conn, request)
	if answer, err := io.ReadAll(conn); err != nil || string(answer) != isClosed {
		t.Errorf("the server answers %q, %v, want %q and the end", answer, err, isClosed)
	}
	if got, err := s.stop(); err != nil || got.Answered != 1 || got.Connections != 1 {
		t.Errorf("the server counted %+v, %v, want one answer", got, err)
	}
}

// The last of those that are waited for decides, and until it comes, that nobody has come
// for a while.
func TestWithhold(t *testing.T) {
	s := &server{plan: serverPlan{Expect: 2, Withhold: time.Hour}, conns: make([]conn, 2)}
	s.withhold(&s.conns[0])
	if left := time.Until(s.until); left > stillness || s.withheld != 1 {
		t.Errorf("%d answers are withheld for %v, want one for %v at most", s.withheld, left, stillness)
	}
	s.withhold(&s.conns[1])
	if left := time.Until(s.until); left <= stillness || s.withheld != 2 {
		t.Errorf("%d answers are withheld for %v, want two for an hour", s.withheld, left)
	}
}
