package tests

import (
	"errors"
	"fmt"
	"net"
	"testing"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/rstlab/rstlab/netlab/wire"
	"golang.org/x/sys/unix"
)

// TestRetryBatch is the way in which the story's resets come about, with the kernel's own
// SYN retries: a burst fills the accept queue of limit+1, the server accepts a few, and a
// second later the dropped SYNs come again. As many as the SYN queue holds are answered,
// and those that then find no room are reset.
//
//	client ──wire── server
func TestRetryBatch(t *testing.T) {
	const limit = 64
	for _, c := range []struct{ clients, accepts int }{{400, 0}, {400, 1}, {400, 10}, {400, limit}, {100, 10}, {800, 3}} {
		t.Run(fmt.Sprintf("clients=%d,accepts=%d", c.clients, c.accepts), func(t *testing.T) {
			t.Parallel()
			repeated := c.clients - (limit + 1)
			answered := min(repeated, limit+1)
			resets := max(0, answered-c.accepts)
			if c.accepts == 0 {
				answered, resets = 0, 0 // the repeated SYNs meet a full accept queue
			}

			w, ln := overflowing(t, limit)
			server, client := w.Server.Counters(), w.Client.Counters()
			endFirst := together(w, c.clients)
			connectAll(t, w, c.clients)
			awaitCounter(t, w.Server, server, "InSegs", c.clients+limit+1)
			endFirst()
			for range c.accepts {
				conn, err := ln.Accept()
				fatal(t, err)
				defer conn.Close()
			}
			together(w, repeated)
			awaitCounter(t, w.Server, server, "InSegs", c.clients+limit+1+repeated+answered)
			awaitCounter(t, w.Client, client, "EstabResets", resets)

			if got := w.Server.Counters().Since(server)["EmbryonicRsts"]; got != uint64(resets) {
				t.Errorf("EmbryonicRsts at the server is %d, want %d", got, resets)
			}
		})
	}
}

// overflowing is a wire whose server resets what it has no room for, and answers no SYN
// by a cookie.
func overflowing(t *testing.T, limit int) (*wire.Wire, net.Listener) {
	t.Helper()
	needTUN(t)
	w := wire.New(t)
	w.Server.Sysctl(abortKey, "1")
	w.Server.Sysctl("net.ipv4.tcp_syncookies", "0")
	ln, err := w.Server.Listen("tcp4", fmt.Sprintf("%s:%d", w.Server.Addr(), frontPort), limit)
	fatal(t, err)
	t.Cleanup(func() { _ = ln.Close() })
	return w, ln
}

// together lets so many clients come as one until the batch is ended. What is sent then
// waits for the next batch.
func together(w *wire.Wire, clients int) (end func()) {
	rule := w.Together(clients)
	stop := w.GoLive()
	return func() {
		stop()
		w.Release(rule)
	}
}

// connectAll starts a connect for each client and leaves them to the kernel.
func connectAll(t *testing.T, w *wire.Wire, n int) {
	t.Helper()
	target := &unix.SockaddrInet4{Addr: w.Server.Addrs()[0].As4(), Port: frontPort}
	err := w.Client.Do(func() error {
		for range n {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return err
			}
			t.Cleanup(func() { _ = unix.Close(fd) })
			if err := unix.Connect(fd, target); !errors.Is(err, unix.EINPROGRESS) {
				return fmt.Errorf("connect: %w, want that it is in progress", err)
			}
		}
		return nil
	})
	fatal(t, err)
}

// awaitCounter waits until a counter has moved by n since a reading, and not further.
func awaitCounter(t *testing.T, h *netlab.Host, before scenario.Counters, name string, n int) {
	t.Helper()
	var moved uint64
	await(func() bool {
		moved = h.Counters().Since(before)[name]
		return moved >= uint64(n)
	})
	if moved != uint64(n) {
		t.Fatalf("%s at the %s moved by %d, want %d", name, h.Name(), moved, n)
	}
}

func fatal(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
