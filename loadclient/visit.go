package loadclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"syscall"
	"time"
)

var errBeforeStart = errors.New("cancelled before its start")

// visit takes a client from its gate to its fate. It returns the connection,
// which is nil if there was none, still open if the server answered.
func (s *swarm) visit(ctx context.Context, c *Client) *connection {
	<-s.schedule.gate(c.Number)
	if ctx.Err() != nil {
		s.end(c, failure{err: errBeforeStart})
		return nil
	}
	conn, err := s.connect(ctx, c)
	if err != nil {
		s.end(c, failure{PhaseDial, cancelledOr(ctx, err)})
		return nil
	}
	s.end(c, s.ask(ctx, c, conn))
	return conn
}

// connect dials within the client's time and puts the same bound on each call
// on the connection.
func (s *swarm) connect(ctx context.Context, c *Client) (*connection, error) {
	c.Started = s.now()
	s.tally.started.Add(1)
	deadline := s.start.Add(c.Planned + s.cfg.Timeout)
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	inner, err := s.dial(ctx, c)
	if err != nil {
		return nil, err
	}
	c.Connected = s.now()
	s.tally.connected.Add(1)
	conn := newConnection(inner, s.now)
	if err := conn.SetDeadline(deadline); err != nil {
		conn.settle()
		return nil, fmt.Errorf("set deadline: %w", err)
	}
	return conn, nil
}

// ask sends the client's requests one after another and returns the first
// failure. A connection that was answered, well or badly, stays open: its
// deadline is taken off, so that waiting for the other clients cannot end it.
func (s *swarm) ask(ctx context.Context, c *Client, conn *connection) failure {
	defer func() { _ = conn.SetDeadline(time.Time{}) }() // fails only if it is closed already
	once := func() failure { return s.talkOnce(ctx, c, conn) }
	if s.cfg.speaksHTTP() {
		transport := newTransport(conn)
		once = func() failure { return s.askOnce(ctx, c, conn, transport) }
	}
	for range s.cfg.Requests {
		if f := once(); f.err != nil {
			return f
		}
	}
	return failure{}
}

func (s *swarm) askOnce(ctx context.Context, c *Client, conn *connection, transport *http.Transport) failure {
	got, err := exchange(ctx, transport, s.cfg.Target)
	if got.status != 0 {
		c.Status = got.status
	}
	if err != nil {
		return conn.blame(cancelledOr(ctx, err))
	}
	if got.status >= http.StatusBadRequest {
		return failure{PhaseAnswer, got.statusError()}
	}
	c.Answered++
	if got.last && c.Answered < s.cfg.Requests {
		return failure{PhaseRead, fmt.Errorf("server closed after %d of %d answers: %w", c.Answered, s.cfg.Requests, io.EOF)}
	}
	return failure{}
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
	if _, ok := errors.AsType[syscall.Errno](err); ok || ctx.Err() == nil {
		return err
	}
	return errors.New("cancelled: " + context.Cause(ctx).Error())
}
