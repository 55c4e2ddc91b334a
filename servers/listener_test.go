package servers

import (
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
)

// waitQueue waits until exactly want connections are in the accept queue.
func waitQueue(t *testing.T, ln *Listener, want uint32) {
	t.Helper()
	var length uint32
	var err error
	eventually(t, func() bool {
		length, _, err = ln.Queue()
		return err == nil && length == want
	}, func() string { return fmt.Sprintf("queue length is %d (%v), want %d", length, err, want) })
}

func (a *acceptor) wait(t *testing.T, want int64) {
	t.Helper()
	eventually(t, func() bool { return a.count.Load() == want },
		func() string { return fmt.Sprintf("accepted %d, want %d", a.count.Load(), want) })
}

func TestHoldKeepsConnectionsInQueue(t *testing.T) {
	ln := listen(t)
	a := acceptFrom(t, ln)
	accepted := int64(0)
	for range 50 { // each round begins with an Accept blocked in the kernel
		ln.Hold()
		dial(t, ln, 3)
		waitQueue(t, ln, 3)
		if got := a.count.Load(); got != accepted {
			t.Fatalf("accepted %d while held, want none", got-accepted)
		}
		ln.Release()
		accepted += 3
		a.wait(t, accepted)
	}
}

// Hold comes while Accept is busy: what is queued when it returns must stay.
func TestHoldIsExactUnderLoad(t *testing.T) {
	const clients = 64
	ln := listen(t)
	a := acceptFrom(t, ln)
	accepted := int64(0)
	for round := range 30 {
		ln.Hold()
		dial(t, ln, clients)
		waitQueue(t, ln, clients)
		ln.Release()
		begun := time.Now()
		for a.count.Load() < accepted+int64(round) && time.Since(begun) < patience {
			runtime.Gosched() // a tick would be too coarse to stop at another point each time
		}
		ln.Hold()
		left, _, err := ln.Queue()
		if err != nil {
			t.Fatal(err)
		}
		a.wait(t, accepted+clients-int64(left))
		if after, _, err := ln.Queue(); after != left || err != nil {
			t.Fatalf("round %d: queue went from %d to %d (%v) while held", round, left, after, err)
		}
		accepted += clients
		ln.Release()
		a.wait(t, accepted)
	}
}

func TestSetPace(t *testing.T) {
	ln := listen(t)
	ln.SetPace(time.Hour)
	a := acceptFrom(t, ln)
	dial(t, ln, 4)
	a.wait(t, 1) // the first slot is now
	waitQueue(t, ln, 3)
	ln.SetPace(time.Nanosecond)
	a.wait(t, 4)
	waitQueue(t, ln, 0)
}

func TestSetAbortResetsOnClose(t *testing.T) {
	for _, tt := range []struct {
		abort bool
		want  error
	}{{false, io.EOF}, {true, syscall.ECONNRESET}} {
		t.Run(fmt.Sprintf("abort=%t", tt.abort), func(t *testing.T) {
			ln := listen(t)
			ln.SetAbort(tt.abort)
			client := dial(t, ln, 1)[0]
			server, err := ln.Accept()
			if err != nil {
				t.Fatal(err)
			}
			server.Close()
			if _, err := client.Read(make([]byte, 1)); !errors.Is(err, tt.want) {
				t.Errorf("read = %v, want %v", err, tt.want)
			}
		})
	}
}

func TestCloseUnblocksAccept(t *testing.T) {
	for name, prepare := range map[string]func(*Listener){
		"open":  func(*Listener) {},
		"held":  (*Listener).Hold,
		"paced": func(ln *Listener) { ln.SetPace(time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			ln := listen(t)
			prepare(ln)
			errs := make(chan error, 8)
			var wg sync.WaitGroup
			for range cap(errs) {
				wg.Go(func() {
					_, err := ln.Accept()
					errs <- err
				})
			}
			if err := ln.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
			if err := ln.Close(); err != nil {
				t.Errorf("second close: %v", err)
			}
			wg.Wait()
			for range cap(errs) {
				if err := <-errs; !errors.Is(err, net.ErrClosed) {
					t.Errorf("Accept = %v, want net.ErrClosed", err)
				}
			}
		})
	}
}

func TestClosedListener(t *testing.T) {
	ln := listen(t)
	ln.Close()
	ln.Hold()
	ln.Release()
	_, _, queueErr := ln.Queue()
	for call, err := range map[string]error{
		"Queue":          queueErr,
		"SetBacklog":     ln.SetBacklog(1),
		"SetDeferAccept": ln.SetDeferAccept(time.Second),
	} {
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s = %v, want net.ErrClosed", call, err)
		}
	}
}

func TestListenRefusesOtherNetworks(t *testing.T) {
	_, err := Listen(t.Context(), net.ListenConfig{}, "unix", t.TempDir()+"/socket")
	if err == nil {
		t.Error("Listen on unix succeeded")
	}
}
