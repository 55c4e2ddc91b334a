package rpc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of these tests.
const patience = 20 * time.Second

// countingListener counts what it accepts.
type countingListener struct {
	net.Listener
	accepted atomic.Int64
}

func (l *countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.accepted.Add(1)
	}
	return conn, err
}

func listen(t *testing.T) *countingListener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return &countingListener{Listener: ln}
}

// serve runs s on a loopback listener until the test ends.
func serve(t *testing.T, s *Server) *countingListener {
	t.Helper()
	ln := listen(t)
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-served; !errors.Is(err, ErrServerClosed) {
			t.Errorf("Serve = %v, want ErrServerClosed", err)
		}
	})
	return ln
}

// newClient returns a client of ln that ends with the test.
func newClient(t *testing.T, ln net.Listener, poolSize int) *Client {
	t.Helper()
	c := &Client{Address: ln.Addr().String(), PoolSize: poolSize}
	t.Cleanup(func() { c.Close() })
	return c
}

func echo(_ context.Context, _ string, payload []byte) ([]byte, error) { return payload, nil }

// echoed makes one call of echo and says what is wrong with it.
func echoed(t *testing.T, c *Client, text string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	got, err := c.Call(ctx, "echo", []byte(text))
	if err == nil && string(got) != text {
		err = fmt.Errorf("echo answered %q, want %q", got, text)
	}
	return err
}

// gated is a handler that reports each request and then waits for release.
type gated struct {
	started chan string
	release chan struct{}
	open    sync.Once
}

func newGated(t *testing.T) *gated {
	g := &gated{started: make(chan string, 1000), release: make(chan struct{})}
	t.Cleanup(g.letGo)
	return g
}

func (g *gated) handle(_ context.Context, method string, payload []byte) ([]byte, error) {
	g.started <- method
	<-g.release
	return payload, nil
}

func (g *gated) letGo() { g.open.Do(func() { close(g.release) }) }

// receive takes one value from ch.
func receive[T any](t *testing.T, ch <-chan T, pending string) (value T) {
	t.Helper()
	select {
	case value = <-ch:
	case <-time.After(patience):
		t.Fatalf("after %v: still waiting for %s", patience, pending)
	}
	return value
}

// eventually polls until condition holds.
func eventually(t *testing.T, condition func() bool, pending string) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !condition(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("after %v: still waiting for %s", patience, pending)
		}
	}
}

// begun is how many calls l has seen.
func (l *link) begun() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lastID
}

// open is how many connections s serves.
func (s *Server) open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}
