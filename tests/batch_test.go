package tests

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/rstlab/rstlab/netlab/wire"
	"golang.org/x/sys/unix"
)

// TestRetryBatch is the way in which the story's resets come about, on a plain veth
// pair and with the kernel's own SYN retries: a burst fills the accept queue of
// limit+1, the server accepts a few, and a second later the dropped SYNs come again.
// As many as the SYN queue holds are answered, and those that then find no room are
// reset. A neighbour plug sees to it that all SYNs come before the first ACK.
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

			p := wire.NewPlug(t)
			p.Server.Sysctl(abortKey, "1")
			p.Server.Sysctl("net.ipv4.tcp_syncookies", "0")
			ln, err := p.Server.Listen("tcp4", fmt.Sprintf("%s:%d", p.Server.Addr(), frontPort), limit)
			fatal(t, err)
			defer ln.Close()
			server, client := p.Server.Counters(), p.Client.Counters()

			fatal(t, p.Release(false))
			begin := time.Now()
			connectAll(t, p, c.clients)
			awaitCounter(t, p.Server, server, "InSegs", c.clients+limit+1)
			for range c.accepts {
				conn, err := ln.Accept()
				fatal(t, err)
				defer conn.Close()
			}
			fatal(t, p.Hold(false))
			if late := time.Since(begin); late >= time.Second {
				t.Fatalf("the plug was closed %v after the first SYN, and SYNs come again after 1s: the machine is too busy to play this", late)
			}
			awaitCounter(t, p.Server, server, "InSegs", c.clients+limit+1+repeated)
			fatal(t, p.Release(false))
			awaitCounter(t, p.Server, server, "InSegs", c.clients+limit+1+repeated+answered)
			awaitCounter(t, p.Client, client, "EstabResets", resets)

			if got := p.Server.Counters().Since(server)["EmbryonicRsts"]; got != uint64(resets) {
				t.Errorf("EmbryonicRsts at the server is %d, want %d", got, resets)
			}
		})
	}
}

// connectAll starts a connect for each client, one after the other on one thread, and
// leaves them to the kernel.
func connectAll(t *testing.T, p *wire.Plug, n int) {
	t.Helper()
	target := &unix.SockaddrInet4{Addr: p.Server.Addrs()[0].As4(), Port: frontPort}
	err := p.Client.Do(func() error {
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
