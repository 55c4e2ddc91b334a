package rpc

import (
	"cmp"
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

const (
	defaultMaxFrame     = 1 << 20
	defaultMaxConns     = 4096
	defaultMaxInFlight  = 128
	defaultFrameTimeout = 10 * time.Second
	defaultWriteTimeout = 10 * time.Second
)

// ErrServerClosed is what Serve returns after Shutdown or Close.
var ErrServerClosed = errors.New("rpc: server closed")

// Handler answers one request. The payload is its own to keep.
//
// Its ctx ends at the deadline of the request, when the connection dies (unless
// it has MaxInFlight requests and is not read) and when the server is closed. A
// returned *RemoteError reaches the caller as it is, a context's error with the
// code Deadline or Canceled, and any other, or a panic, as Internal.
type Handler func(ctx context.Context, method string, payload []byte) ([]byte, error)

// Server answers requests. Set the fields before Serve; the zero value of each
// but Handler works. Methods are safe for concurrent use.
type Server struct {
	Handler Handler // required

	// MaxFrame bounds a frame in either direction, in bytes; 0 means 1 MiB.
	MaxFrame int
	// MaxConns bounds the open connections of each Serve; 0 means 4096. At the
	// bound it stops accepting, so that clients wait in the accept queue.
	MaxConns int
	// MaxInFlight bounds the requests one connection has in work; 0 means 128.
	// At the bound the connection is not read, which slows the client down.
	MaxInFlight int
	// FrameTimeout is how long a frame may take from its first byte to its
	// last; 0 means 10 s. Between frames a connection may be idle for ever.
	FrameTimeout time.Duration
	// WriteTimeout is how long the client may take to accept an answer, before
	// the connection is closed; 0 means 10 s.
	WriteTimeout time.Duration

	init     sync.Once
	ctx      context.Context // of every handler; canceled by Close
	cancel   context.CancelFunc
	stopping chan struct{} // closed by Shutdown and Close
	idle     chan struct{} // closed when stopping and without connections

	mu        sync.Mutex
	stopped   bool
	listeners map[net.Listener]bool
	conns     map[*serverConn]bool
}

func (s *Server) start() {
	s.init.Do(func() {
		s.ctx, s.cancel = context.WithCancel(context.Background())
		s.stopping = make(chan struct{})
		s.idle = make(chan struct{})
		s.listeners = make(map[net.Listener]bool)
		s.conns = make(map[*serverConn]bool)
	})
}

// Serve accepts connections from ln until the server is stopped, and closes ln.
// It may run for several listeners at once. The error is never nil: it is
// ErrServerClosed after Shutdown or Close, otherwise that of Accept. When the
// process or the system runs out of descriptors or memory, Serve waits and
// tries again.
func (s *Server) Serve(ln net.Listener) error {
	s.start()
	defer ln.Close()
	if !s.addListener(ln) {
		return ErrServerClosed
	}
	defer s.removeListener(ln)
	return s.acceptLoop(ln)
}

// Shutdown stops gently: no new connections, no new requests, and each
// connection is closed once those in flight are answered. Requests it has not
// begun fail with the code Unavailable. It returns when the last connection is
// closed, or with the error of ctx, which leaves the rest to Close.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stop((*serverConn).stop)
	select {
	case <-s.idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close stops at once: it closes every listener and connection, cancels the
// handlers and does not wait for them. Closing again does nothing.
func (s *Server) Close() error {
	s.stop((*serverConn).kill)
	s.cancel()
	return nil
}

// stop closes the listeners and ends each connection by end.
func (s *Server) stop(end func(*serverConn)) {
	s.start()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped {
		s.stopped = true
		close(s.stopping)
		s.checkIdle()
	}
	for ln := range s.listeners {
		ln.Close()
	}
	for c := range s.conns {
		end(c)
	}
}

func (s *Server) isStopped() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopped
}

// addListener refuses once the server is stopped, as addConn does.
func (s *Server) addListener(ln net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped {
		s.listeners[ln] = true
	}
	return !s.stopped
}

func (s *Server) removeListener(ln net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, ln)
}

func (s *Server) addConn(c *serverConn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped {
		s.conns[c] = true
	}
	return !s.stopped
}

func (s *Server) removeConn(c *serverConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if s.stopped {
		s.checkIdle()
	}
}

// checkIdle runs when stopped: no connection is added any more, so the set
// becomes empty once.
func (s *Server) checkIdle() {
	if len(s.conns) == 0 {
		close(s.idle)
	}
}

func (s *Server) maxFrame() int { return cmp.Or(s.MaxFrame, defaultMaxFrame) }
