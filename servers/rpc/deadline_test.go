package rpc

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"
)

// stuckDial waits for its context, as connect(2) does while SYNs are dropped.
type stuckDial struct{ begun, ended chan struct{} }

func (d stuckDial) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	d.begun <- struct{}{}
	<-ctx.Done()
	d.ended <- struct{}{}
	return nil, ctx.Err()
}

// Both calls wait for one dial, which ends with the second of them.
func TestDialIsGivenUpWithItsLastCaller(t *testing.T) {
	d := stuckDial{make(chan struct{}, 9), make(chan struct{}, 9)}
	c := &Client{PoolSize: 1, Dial: d.dial}
	defer c.Close()
	errs := make(chan error, 1)
	ctx, giveUpFirst := context.WithCancel(t.Context())
	go func() {
		_, err := c.Call(ctx, "", nil)
		errs <- err
	}()
	receive(t, d.begun, "the dial")
	l := c.links[0]
	c.mu.Lock()
	l.load++ // the second caller, who stays
	c.mu.Unlock()
	giveUpFirst()
	wantCallError(t, receive(t, errs, "the first call"), "dial", context.Canceled)
	if got := loads(c); !slices.Equal(got, []int{1}) {
		t.Errorf("calls on each connection: %v, want [1]", got)
	}
	c.release(l)
	receive(t, d.ended, "the dial to end")
	if got := loads(c); len(got) != 0 {
		t.Errorf("%d connections are left, want none", len(got))
	}
}

func TestDeadlineNamesTheStep(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()

	d := stuckDial{make(chan struct{}, 1), make(chan struct{}, 1)}
	dialing := &Client{Dial: d.dial}
	wg.Go(func() {
		_, err := dialing.Call(ctx, "", nil)
		wantCallError(t, err, "dial", context.DeadlineExceeded)
	})

	silent := listen(t) // completes handshakes, accepts nothing
	full := newClient(t, silent, 1)
	full.MaxFrame = 64 << 20
	wg.Go(func() {
		_, err := full.Call(ctx, "", make([]byte, 32<<20))
		wantCallError(t, err, "write", context.DeadlineExceeded)
	})
	ghost := newClient(t, silent, 1)
	wg.Go(func() {
		_, err := ghost.Call(ctx, "", nil)
		wantCallError(t, err, "read", context.DeadlineExceeded)
	})
}

func TestWriteTimeoutEndsTheConnection(t *testing.T) {
	silent := listen(t)
	c := newClient(t, silent, 1)
	c.MaxFrame, c.WriteTimeout = 64<<20, 50*time.Millisecond
	_, err := c.Call(t.Context(), "", make([]byte, 32<<20))
	if got, ok := errors.AsType[*CallError](err); !ok || got.Op != "write" {
		t.Errorf("err = %v, want one in write", err)
	}
	if got := loads(c); len(got) != 0 {
		t.Errorf("%d connections are left, want none", len(got))
	}
}

// A deadline that passes in the handler matches the caller's own.
func TestRemoteDeadline(t *testing.T) {
	err := error(&RemoteError{Deadline, "sleep: context deadline exceeded"})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v does not match context.DeadlineExceeded", err)
	}
	if errors.Is(&RemoteError{Code: Internal}, context.DeadlineExceeded) {
		t.Error("an internal error matches context.DeadlineExceeded")
	}
}

// The server answers and closes at once: the answer counts.
func TestAnswerBeatsTheEndOfItsConnection(t *testing.T) {
	l := newLink(&Client{})
	l.cancelDial = func() {}
	l.fail(io.EOF)
	answered := make(chan struct{})
	close(answered)
	for range 100 {
		if err := l.wait(t.Context(), opRead, answered); err != nil {
			t.Fatalf("wait = %v, want nil", err)
		}
	}
}
