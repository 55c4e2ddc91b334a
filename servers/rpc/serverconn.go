package rpc

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"time"
)

// What a refused client may still send before its connection is closed.
const (
	drainBytes = 4 << 20
	drainTime  = time.Second
)

var errStopping = errors.New("server is shutting down")

// serverConn is one accepted connection: one goroutine reads requests, one per
// request answers.
type serverConn struct {
	server   *Server
	conn     net.Conn
	ctx      context.Context // of the requests
	cancel   context.CancelFunc
	inFlight chan struct{} // one token per request in work, and one for the reader
	handlers sync.WaitGroup

	writing sync.Mutex // one frame at a time

	mu      sync.Mutex
	stopped bool // no further request is read
}

// serveConn returns when the connection is closed.
func (s *Server) serveConn(conn net.Conn) {
	c := &serverConn{
		server:   s,
		conn:     conn,
		inFlight: make(chan struct{}, cmp.Or(s.MaxInFlight, defaultMaxInFlight)),
	}
	c.ctx, c.cancel = context.WithCancel(s.ctx)
	defer c.cancel()
	if !s.addConn(c) {
		conn.Close()
		return
	}
	defer s.removeConn(c)
	defer conn.Close()
	c.serve()
}

func (c *serverConn) serve() {
	cause := c.readRequests()
	if errors.Is(cause, errStopping) {
		c.handlers.Wait() // they have their answers before the farewell
	}
	farewell := c.farewell(cause)
	if farewell != nil {
		_ = c.write(farewell.frame(0)) // a client that has gone needs none
	}
	c.cancel()
	c.handlers.Wait()
	if farewell != nil {
		c.hangUp()
	}
}

// readRequests returns why no further request can be read.
func (c *serverConn) readRequests() error {
	r := bufio.NewReader(c.conn)
	for {
		c.inFlight <- struct{}{}
		f, err := c.readFrame(r)
		switch {
		case c.isStopped():
			return errStopping
		case err != nil:
			return err
		case f.Kind != Request:
			return malformed("kind is %d, want a request", f.Kind)
		}
		c.handlers.Go(func() {
			c.answer(f)
			<-c.inFlight
		})
	}
}

// readFrame waits for ever for the first byte and FrameTimeout for the rest.
func (c *serverConn) readFrame(r *bufio.Reader) (Frame, error) {
	c.setReadDeadline(time.Time{})
	if _, err := r.Peek(1); err != nil {
		return Frame{}, err
	}
	c.setReadDeadline(time.Now().Add(c.frameTimeout()))
	return ReadFrame(r, c.server.maxFrame())
}

func (c *serverConn) frameTimeout() time.Duration {
	return cmp.Or(c.server.FrameTimeout, defaultFrameTimeout)
}

// farewell is what the client is told before its connection is closed; nil when
// it has gone itself.
func (c *serverConn) farewell(cause error) *RemoteError {
	switch {
	case isFrameError(cause):
		return &RemoteError{BadFrame, cause.Error()}
	case errors.Is(cause, errStopping):
		return &RemoteError{Unavailable, cause.Error()}
	case errors.Is(cause, os.ErrDeadlineExceeded):
		return &RemoteError{BadFrame, fmt.Sprintf("slow frame: not complete after %v", c.frameTimeout())}
	}
	return nil
}

// answer runs one request.
func (c *serverConn) answer(f Frame) {
	payload, err := c.handle(f)
	reply := Frame{ID: f.ID, Kind: Answer, Payload: payload}
	if err != nil {
		reply = remote(err).frame(f.ID)
	}
	err = c.write(reply)
	if tooBig, ok := errors.AsType[*OversizedError](err); ok {
		_ = c.write(remote(fmt.Errorf("answer: %w", tooBig)).frame(f.ID)) // as for any answer
	}
}

func (c *serverConn) handle(f Frame) (payload []byte, err error) {
	ctx := c.ctx
	if f.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, f.Timeout)
		defer cancel()
	}
	defer func() {
		if v := recover(); v != nil {
			slog.Error("rpc handler panicked", "method", f.Method, "panic", v, "stack", string(debug.Stack()))
			err = fmt.Errorf("handler panicked: %v", v)
		}
	}()
	return c.server.Handler(ctx, f.Method, f.Payload)
}

// write sends f. After an *OversizedError the connection is whole, after any
// other error it is closed, which ends its reader.
func (c *serverConn) write(f Frame) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	timeout := cmp.Or(c.server.WriteTimeout, defaultWriteTimeout)
	c.conn.SetWriteDeadline(time.Now().Add(timeout))
	err := WriteFrame(c.conn, f, c.server.maxFrame())
	if _, tooBig := errors.AsType[*OversizedError](err); err != nil && !tooBig {
		c.conn.Close()
	}
	return err
}

// hangUp lets the client read the farewell. Closing at once would not do: while
// data of the client is unread, the kernel answers close with RST, and a client
// that is still sending meets the reset before the farewell. So it half-closes,
// and takes what the client still sends until that has closed too.
func (c *serverConn) hangUp() {
	half, ok := c.conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	c.stop() // a later Shutdown shall not cut the draining short
	c.conn.SetReadDeadline(time.Now().Add(drainTime))
	_, _ = io.CopyN(io.Discard, c.conn, drainBytes) // however it ends, the close follows
}

// stop ends readRequests, now if it waits for the client.
func (c *serverConn) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopped {
		c.stopped = true
		c.conn.SetReadDeadline(time.Unix(1, 0))
	}
}

func (c *serverConn) isStopped() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stopped
}

// setReadDeadline does not lift the deadline that stop has set.
func (c *serverConn) setReadDeadline(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopped {
		c.conn.SetReadDeadline(t)
	}
}

// kill closes the connection under its reader and writers.
func (c *serverConn) kill() { c.conn.Close() }
