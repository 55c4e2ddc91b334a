package servers

import (
	"net"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of these tests.
const patience = 20 * time.Second

// listen opens a Listener on loopback that ends with the test.
func listen(t *testing.T) *Listener {
	t.Helper()
	ln, err := Listen(t.Context(), net.ListenConfig{}, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

// dial completes n handshakes with ln; the connections end with the test.
func dial(t *testing.T, ln net.Listener, n int) []net.Conn {
	t.Helper()
	conns := make([]net.Conn, n)
	for i := range conns {
		conn, err := net.DialTimeout("tcp", ln.Addr().String(), patience)
		if err != nil {
			t.Fatalf("dial %d of %d: %v", i+1, n, err)
		}
		t.Cleanup(func() { conn.Close() })
		conns[i] = conn
	}
	return conns
}

// eventually polls until condition holds. Pending says what did not happen.
func eventually(t *testing.T, condition func() bool, pending func() string) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(patience)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("after %v: %s", patience, pending())
		}
		<-tick.C
	}
}

// acceptor accepts in a loop, and counts. It ends with the test.
type acceptor struct {
	count atomic.Int64
	conns chan net.Conn // the first ones; the rest are only counted
}

func acceptFrom(t *testing.T, ln net.Listener) *acceptor {
	a := &acceptor{conns: make(chan net.Conn, 16)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			select {
			case a.conns <- conn:
			default:
				conn.Close()
			}
			a.count.Add(1)
		}
	}()
	t.Cleanup(func() {
		ln.Close()
		<-done
		close(a.conns)
		for conn := range a.conns {
			conn.Close()
		}
	})
	return a
}
