package rpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"syscall"
	"testing"
)

// callAll makes n calls of echo at once.
func callAll(t *testing.T, c *Client, n int) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := echoed(t, c, fmt.Sprint("call ", i)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestManyInFlightOnOneConnection(t *testing.T) {
	ln := serve(t, &Server{Handler: echo})
	callAll(t, newClient(t, ln, 1), 1000)
	if got := ln.accepted.Load(); got != 1 {
		t.Errorf("%d connections, want 1", got)
	}
}

// The answers come in another order than the requests.
func TestAnswersFindTheirCalls(t *testing.T) {
	const calls = 8
	var order []chan struct{}
	for range calls + 1 {
		order = append(order, make(chan struct{}))
	}
	ln := serve(t, &Server{Handler: func(_ context.Context, _ string, payload []byte) ([]byte, error) {
		i := int(payload[0])
		<-order[i+1] // answered after the next one
		close(order[i])
		return payload, nil
	}})
	c := newClient(t, ln, 1)
	var wg sync.WaitGroup
	for i := range calls {
		wg.Go(func() {
			if err := echoed(t, c, string(byte(i))); err != nil {
				t.Error(err)
			}
		})
	}
	close(order[calls])
	wg.Wait()
}

func TestPoolIsFilledByLoadOnly(t *testing.T) {
	g := newGated(t)
	ln := serve(t, &Server{Handler: g.handle})
	c := newClient(t, ln, 3)
	var wg sync.WaitGroup
	for i := range 9 {
		wg.Go(func() {
			if err := echoed(t, c, "x"); err != nil {
				t.Error(err)
			}
		})
		receive(t, g.started, fmt.Sprintf("handler %d", i))
	}
	if got, want := loads(c), []int{3, 3, 3}; !slices.Equal(got, want) {
		t.Errorf("calls on each connection: %v, want %v", got, want)
	}
	g.letGo()
	wg.Wait()
	for range 10 {
		if err := echoed(t, c, "one after another"); err != nil {
			t.Fatal(err)
		}
	}
	if got := ln.accepted.Load(); got != 3 {
		t.Errorf("%d connections, want 3", got)
	}
}

func loads(c *Client) (n []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.links {
		n = append(n, l.load)
	}
	return n
}

func TestSequentialCallsShareOneConnection(t *testing.T) {
	ln := serve(t, &Server{Handler: echo})
	c := newClient(t, ln, 8)
	for range 20 {
		if err := echoed(t, c, "x"); err != nil {
			t.Fatal(err)
		}
	}
	if got := ln.accepted.Load(); got != 1 {
		t.Errorf("%d connections, want 1", got)
	}
}

func TestNoPoolDialsForEachCall(t *testing.T) {
	const calls = 50
	s := &Server{Handler: echo}
	ln := serve(t, s)
	c := newClient(t, ln, 0)
	callAll(t, c, calls)
	if got := ln.accepted.Load(); got != calls {
		t.Errorf("%d connections, want %d", got, calls)
	}
	if got := loads(c); len(got) != 0 {
		t.Errorf("%d connections are left, want none", len(got))
	}
}

func TestBrokenConnectionIsReplaced(t *testing.T) {
	s := &Server{Handler: echo}
	ln := serve(t, s)
	c := newClient(t, ln, 1)
	for range 5 {
		if err := echoed(t, c, "x"); err != nil {
			t.Fatal(err)
		}
		l := c.links[0]
		l.conn.(*net.TCPConn).CloseWrite() // the server closes, and the client sees that
		receive(t, l.dead, "the link to fail")
	}
	if got := ln.accepted.Load(); got != 5 {
		t.Errorf("%d connections, want 5", got)
	}
}

// wantCallError checks the step and the cause of a failed call.
func wantCallError(t *testing.T, err error, op string, cause error) {
	t.Helper()
	got, ok := errors.AsType[*CallError](err)
	if !ok || got.Op != op || !errors.Is(err, cause) {
		t.Errorf("err = %v, want %v in %s", err, cause, op)
	}
}

func TestDialError(t *testing.T) {
	ln := listen(t)
	ln.Close()
	for _, poolSize := range []int{0, 1} {
		_, err := newClient(t, ln, poolSize).Call(t.Context(), "", nil)
		wantCallError(t, err, "dial", syscall.ECONNREFUSED)
		want := ln.Addr().String() + ": dial: connect: connection refused"
		if err.Error() != want {
			t.Errorf("error says %q, want %q", err, want)
		}
	}
}

// fate plays a server that accepts one connection and then does end to it once
// the request has come.
func fate(t *testing.T, end func(*net.TCPConn)) error {
	t.Helper()
	ln := listen(t)
	c := newClient(t, ln, 0)
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		conn, err := ln.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		if _, err := ReadFrame(conn, limit); err != nil {
			t.Error(err)
		}
		end(conn.(*net.TCPConn))
	})
	_, err := c.Call(t.Context(), "", nil)
	return err
}

func TestReadErrors(t *testing.T) {
	t.Run("reset", func(t *testing.T) {
		err := fate(t, func(conn *net.TCPConn) { conn.SetLinger(0) })
		wantCallError(t, err, "read", syscall.ECONNRESET)
	})
	t.Run("closed", func(t *testing.T) {
		wantCallError(t, fate(t, func(*net.TCPConn) {}), "read", io.EOF)
	})
	t.Run("not an answer", func(t *testing.T) {
		err := fate(t, func(conn *net.TCPConn) { WriteFrame(conn, frames[0], limit) })
		if _, ok := errors.AsType[*MalformedError](err); !ok {
			t.Errorf("err = %v, want a *MalformedError", err)
		}
	})
}

func TestOversizedRequestIsNotSent(t *testing.T) {
	ln := serve(t, &Server{Handler: echo})
	c := newClient(t, ln, 1)
	_, err := c.Call(t.Context(), "echo", make([]byte, defaultMaxFrame))
	if _, ok := errors.AsType[*OversizedError](err); !ok {
		t.Errorf("err = %v, want an *OversizedError", err)
	}
	if err := echoed(t, c, "the connection is whole"); err != nil {
		t.Error(err)
	}
	if got := ln.accepted.Load(); got != 1 {
		t.Errorf("%d connections, want 1", got)
	}
}

func TestCloseFailsPendingCalls(t *testing.T) {
	g := newGated(t)
	ln := serve(t, &Server{Handler: g.handle})
	c := newClient(t, ln, 2)
	errs := make(chan error, 4)
	for range cap(errs) {
		go func() {
			_, err := c.Call(context.Background(), "", nil)
			errs <- err
		}()
		receive(t, g.started, "a handler")
	}
	for range 2 {
		if err := c.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	}
	for range cap(errs) {
		wantCallError(t, receive(t, errs, "a call"), "read", net.ErrClosed)
	}
	_, err := c.Call(t.Context(), "", nil)
	wantCallError(t, err, "dial", net.ErrClosed)
}
