package loadclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"syscall"
	"time"
)

var errBeforeStart = errors.New("cancelled before its start")

// visit takes a client from its start to its fate. It returns the connection,
// which is nil if there was none, still open if the server answered.
func (e *httpEngine) visit(ctx context.Context, c *Client) *connection {
	if ctx.Err() != nil {
		e.end(c, failure{err: errBeforeStart}, false)
		return nil
	}
	conn, err := e.connect(ctx, c)
	if err != nil {
		e.end(c, failure{PhaseDial, cancelledOr(ctx, err)}, false)
		return nil
	}
	f := e.ask(ctx, c, conn)
	if tcp := conn.lastTCP(); tcp.Known() {
		c.TCP = tcp
	}
	e.end(c, f, conn.begun())
	return conn
}

// connect dials within the client's time and puts the same bound on each call
// on the connection.
func (e *httpEngine) connect(ctx context.Context, c *Client) (*connection, error) {
	c.Started = e.now()
	e.tally.started.Add(1)
	deadline := e.start.Add(c.Planned + e.cfg.Timeout)
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	inner, err := e.dial(ctx, c)
	if err != nil {
		return nil, err
	}
	c.Connected = e.now()
	e.tally.connected.Add(1)
	conn := newConnection(inner, e.now, c.TCP.SYNRetries)
	if err := conn.SetDeadline(deadline); err != nil {
		conn.settle()
		return nil, fmt.Errorf("set deadline: %w", err)
	}
	return conn, nil
}

// ask sends the client's requests one after another and returns the first
// failure. A connection that was answered, well or badly, stays open: its
// deadline is taken off, so that waiting for the other clients cannot end it.
func (e *httpEngine) ask(ctx context.Context, c *Client, conn *connection) failure {
	defer func() { _ = conn.SetDeadline(time.Time{}) }() // fails only if it is closed already
	once := func() failure { return e.talkOnce(ctx, c, conn) }
	if e.cfg.speaksHTTP() {
		transport := newTransport(conn)
		once = func() failure { return e.askOnce(ctx, c, conn, transport) }
	}
	for i := range e.cfg.Requests {
		if i > 0 && e.cfg.Think > 0 {
			if err := e.think(ctx, c); err != nil {
				return failure{PhaseAnswer, err}
			}
		}
		conn.expect()
		if f := once(); f.err != nil {
			return f
		}
	}
	return failure{}
}

// think waits between an answer and the next request. The client's time may end
// meanwhile.
func (e *httpEngine) think(ctx context.Context, c *Client) error {
	next, deadline := e.now()+e.cfg.Think, c.Planned+e.cfg.Timeout
	waitUntil(ctx, e.start.Add(min(next, deadline)))
	switch {
	case ctx.Err() != nil:
		return cancelled(ctx)
	case deadline <= next:
		return os.ErrDeadlineExceeded
	}
	return nil
}

func (e *httpEngine) askOnce(ctx context.Context, c *Client, conn *connection, transport *http.Transport) failure {
	got, err := exchange(ctx, transport, e.cfg.Target)
	if got.status != 0 {
		c.Status = got.status
	}
	if err != nil {
		return conn.blame(cancelledOr(ctx, err))
	}
	if got.status >= http.StatusBadRequest {
		return failure{PhaseAnswer, badStatus{got.status, got.line}}
	}
	c.Answered++
	if got.last && c.Answered < e.cfg.Requests {
		conn.expect()
		return failure{PhaseRead, closedEarly(c.Answered, e.cfg.Requests)}
	}
	return failure{}
}

// closedEarly is the end of a connection that the server did not keep.
func closedEarly(answered, requests int) error {
	return fmt.Errorf("server closed after %d of %d answers: %w", answered, requests, io.EOF)
}

// blame is the first call that failed on the connection, or err if none did,
// such as for a malformed answer.
func (c *connection) blame(err error) failure {
	c.settle()
	if f := c.firstFailure(); f.err != nil {
		return f
	}
	return failure{PhaseAnswer, err}
}

// cancelledOr is err, unless the run was cancelled and err has no errno to show
// that something happened before. The cause is not wrapped: one that says
// "deadline exceeded" is the run's, not the client's.
func cancelledOr(ctx context.Context, err error) error {
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		<-ctx.Done() // its timer may be a moment behind that of the call
	}
	if _, ok := errors.AsType[syscall.Errno](err); ok || ctx.Err() == nil {
		return err
	}
	return cancelled(ctx)
}

func cancelled(ctx context.Context) error {
	return errors.New("cancelled: " + context.Cause(ctx).Error())
}
