package rpc

import (
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// scriptedListener fails with each of errs in turn, then waits for Close.
type scriptedListener struct {
	errs   []error
	closed chan struct{}
	calls  []time.Time
}

func (l *scriptedListener) Accept() (net.Conn, error) {
	l.calls = append(l.calls, time.Now())
	if len(l.errs) > 0 {
		err := l.errs[0]
		l.errs = l.errs[1:]
		return nil, &net.OpError{Op: "accept", Err: err}
	}
	<-l.closed
	return nil, &net.OpError{Op: "accept", Err: net.ErrClosed}
}

func (l *scriptedListener) Close() error {
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
	return nil
}

func (l *scriptedListener) Addr() net.Addr { return &net.TCPAddr{} }

func TestAcceptBacksOffAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := &scriptedListener{closed: make(chan struct{})}
		for range 10 {
			ln.errs = append(ln.errs, os.NewSyscallError("accept4", syscall.EMFILE))
		}
		s := &Server{Handler: echo}
		served := make(chan error)
		go func() { served <- s.Serve(ln) }()
		<-time.After(time.Hour)
		s.Close()
		if err := <-served; !errors.Is(err, ErrServerClosed) {
			t.Errorf("Serve = %v, want ErrServerClosed", err)
		}
		if len(ln.calls) != 11 {
			t.Fatalf("%d accepts, want 11", len(ln.calls))
		}
		want := minBackoff
		for i := range ln.calls[1:] {
			if got := ln.calls[i+1].Sub(ln.calls[i]); got != want {
				t.Errorf("wait %d is %v, want %v", i, got, want)
			}
			want = min(2*want, maxBackoff)
		}
	})
}

func TestAcceptEndsWithAnyOtherError(t *testing.T) {
	ln := &scriptedListener{closed: make(chan struct{}), errs: []error{syscall.EINVAL}}
	if err := (&Server{Handler: echo}).Serve(ln); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("Serve = %v, want EINVAL", err)
	}
}

func TestCloseInterruptsBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := &scriptedListener{closed: make(chan struct{}), errs: []error{syscall.ENFILE}}
		s := &Server{Handler: echo}
		served := make(chan error)
		start := time.Now()
		go func() { served <- s.Serve(ln) }()
		synctest.Wait()
		s.Close()
		if err := <-served; !errors.Is(err, ErrServerClosed) || time.Since(start) != 0 {
			t.Errorf("Serve = %v after %v, want ErrServerClosed at once", err, time.Since(start))
		}
	})
}
