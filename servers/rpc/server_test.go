package rpc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestHandlerErrors(t *testing.T) {
	for _, tt := range []struct {
		name    string
		handler Handler
		want    RemoteError
	}{
		{"remote", func(context.Context, string, []byte) ([]byte, error) {
			return nil, fmt.Errorf("wrapped: %w", &RemoteError{BadRequest, "no"})
		}, RemoteError{BadRequest, "no"}},
		{"other", func(context.Context, string, []byte) ([]byte, error) {
			return nil, errors.New("disk full")
		}, RemoteError{Internal, "disk full"}},
		{"panic", func(context.Context, string, []byte) ([]byte, error) {
			panic("boom")
		}, RemoteError{Internal, "handler panicked: boom"}},
		{"answer too big", func(context.Context, string, []byte) ([]byte, error) {
			return make([]byte, limit), nil
		}, RemoteError{Internal, "answer: oversized frame: 65545 bytes, limit 65536"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ln := serve(t, &Server{Handler: tt.handler, MaxFrame: limit})
			c := newClient(t, ln, 1)
			for range 2 { // the connection survives
				_, err := c.Call(t.Context(), "", nil)
				if got, ok := errors.AsType[*RemoteError](err); !ok || *got != tt.want {
					t.Errorf("err = %v, want %v", err, &tt.want)
				}
			}
			if got := ln.accepted.Load(); got != 1 {
				t.Errorf("%d connections, want 1", got)
			}
		})
	}
}

// The deadline travels: the handler sees it although the caller's context does
// not reach it.
func TestHandlerSeesDeadline(t *testing.T) {
	left := make(chan time.Duration, 1)
	ln := serve(t, &Server{Handler: func(ctx context.Context, _ string, _ []byte) ([]byte, error) {
		deadline, ok := ctx.Deadline()
		if !ok {
			left <- 0
		} else {
			left <- time.Until(deadline)
		}
		return nil, nil
	}})
	c := newClient(t, ln, 1)
	if _, err := c.Call(t.Context(), "", nil); err != nil {
		t.Fatal(err)
	}
	if got := <-left; got != 0 {
		t.Errorf("no deadline became %v", got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if _, err := c.Call(ctx, "", nil); err != nil {
		t.Fatal(err)
	}
	if got := <-left; got <= time.Hour-patience || got > time.Hour+time.Millisecond {
		t.Errorf("the handler has %v left, want about an hour", got)
	}
}

func TestHandlerStopsWithItsConnection(t *testing.T) {
	started, ended := make(chan struct{}), make(chan error, 1)
	ln := serve(t, &Server{Handler: func(ctx context.Context, _ string, _ []byte) ([]byte, error) {
		close(started)
		<-ctx.Done()
		ended <- ctx.Err()
		return nil, ctx.Err()
	}})
	c := dialRaw(t, ln)
	c.send(t, encoded(t, frames[0]))
	receive(t, started, "the handler")
	c.Close()
	if err := receive(t, ended, "the handler's context"); !errors.Is(err, context.Canceled) {
		t.Errorf("ctx.Err() = %v, want context.Canceled", err)
	}
}

func TestMaxConnsLeavesTheRestInTheQueue(t *testing.T) {
	ln := serve(t, &Server{Handler: echo, MaxConns: 1})
	first, second := dialRaw(t, ln), dialRaw(t, ln)
	for _, c := range []rawConn{first, second} {
		c.send(t, encoded(t, frames[0]))
	}
	if _, err := ReadFrame(first.r, limit); err != nil {
		t.Fatal(err)
	}
	if got := ln.accepted.Load(); got != 1 {
		t.Errorf("%d accepted, want 1", got)
	}
	first.Close()
	if _, err := ReadFrame(second.r, limit); err != nil {
		t.Errorf("the second one, after the first has gone: %v", err)
	}
}

// The first requests wait until the bound is reached, so that it is.
func TestMaxInFlight(t *testing.T) {
	const calls, bound = 60, 3
	var mu sync.Mutex
	now, most := 0, 0
	full := make(chan struct{})
	enter := func() {
		mu.Lock()
		defer mu.Unlock()
		now++
		if now > most {
			if most = now; most == bound {
				close(full)
			}
		}
	}
	leave := func() {
		mu.Lock()
		defer mu.Unlock()
		now--
	}
	ln := serve(t, &Server{MaxInFlight: bound, Handler: func(ctx context.Context, _ string, payload []byte) ([]byte, error) {
		enter()
		defer leave()
		select {
		case <-full:
		case <-ctx.Done():
		}
		return payload, ctx.Err()
	}})
	callAll(t, newClient(t, ln, 1), calls)
	if most != bound {
		t.Errorf("%d requests in work at once, want %d", most, bound)
	}
}

// Three calls wait for their handlers on one connection when Shutdown comes, and
// a late one is sent after it.
func TestShutdownAnswersWhatIsInFlight(t *testing.T) {
	g := newGated(t)
	s := &Server{Handler: g.handle}
	ln := serve(t, s)
	c := newClient(t, ln, 1)
	answers := make(chan error, 3)
	for range cap(answers) {
		go func() { answers <- echoed(t, c, "in flight") }()
		receive(t, g.started, "a handler")
	}
	shared := c.links[0]
	idle := dialRaw(t, ln)
	eventually(t, func() bool { return s.open() == 2 }, "the idle connection to be served")

	done := make(chan error, 1)
	go func() { done <- s.Shutdown(t.Context()) }()
	if err := idle.farewell(); err.Error() != "unavailable: server is shutting down" {
		t.Errorf("idle connection: %v, want unavailable", err)
	}
	idle.Close()
	s.isStopped() // waits for Shutdown to have told every connection
	late := make(chan error, 1)
	go func() { late <- echoed(t, c, "late") }()
	eventually(t, func() bool { return shared.begun() == 4 }, "the late call to begin")
	g.letGo()

	for range cap(answers) {
		if err := receive(t, answers, "an answer"); err != nil {
			t.Errorf("call in flight: %v", err)
		}
	}
	err := receive(t, late, "the late call")
	if got, ok := errors.AsType[*RemoteError](err); !ok || got.Code != Unavailable {
		t.Errorf("late call: %v, want unavailable", err)
	}
	if err := receive(t, done, "Shutdown"); err != nil {
		t.Errorf("Shutdown = %v", err)
	}
	if got := len(g.started); got != 0 {
		t.Errorf("%d more requests were begun, want none", got)
	}
	if _, err := net.Dial("tcp", ln.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial after Shutdown: %v, want connection refused", err)
	}
}

func TestShutdownGivesUpWithItsContext(t *testing.T) {
	g := newGated(t)
	s := &Server{Handler: g.handle}
	c := newClient(t, serve(t, s), 1)
	answer := make(chan error, 1)
	go func() { answer <- echoed(t, c, "") }()
	receive(t, g.started, "the handler")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown = %v, want context.Canceled", err)
	}
	s.Close()
	if err := receive(t, answer, "the call"); err == nil {
		t.Error("the call succeeded after Close")
	}
}

func TestStoppedServerServesNoMore(t *testing.T) {
	var s Server
	if err := s.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown = %v", err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	}
	ln := listen(t)
	if err := s.Serve(ln); !errors.Is(err, ErrServerClosed) {
		t.Errorf("Serve = %v, want ErrServerClosed", err)
	}
	if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the listener was left open: %v", err)
	}
}
