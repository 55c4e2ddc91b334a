package rpc

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"
)

// The steps of a call, in their order, as CallError names them.
const (
	opDial  = "dial"
	opWrite = "write"
	opRead  = "read"
)

// link is one connection of a Client, from the dial on. One goroutine dials and
// reads, another writes: a caller that gives up then never leaves half a frame
// behind.
type link struct {
	client     *Client
	load       int // calls that use it; guarded by client.mu
	cancelDial context.CancelFunc

	ready    chan struct{} // closed when dialled
	dead     chan struct{} // closed when failed
	outgoing chan *call

	mu     sync.Mutex
	conn   net.Conn         // set before ready is closed
	err    error            // why it failed; set before dead is closed
	calls  map[uint64]*call // waiting for an answer, by id
	lastID uint64
}

// call is one request on its way.
type call struct {
	frame    []byte
	written  chan struct{} // closed when all of frame is written
	answered chan struct{} // closed when answer is set
	answer   Frame
}

func newLink(c *Client) *link {
	return &link{
		client:   c,
		ready:    make(chan struct{}),
		dead:     make(chan struct{}),
		outgoing: make(chan *call),
		calls:    make(map[uint64]*call),
	}
}

// call goes through the steps. Each can end by ctx or by the link's failure.
func (l *link) call(ctx context.Context, method string, payload []byte) ([]byte, error) {
	if err := l.wait(ctx, opDial, l.ready); err != nil {
		return nil, err
	}
	id, c := l.newCall()
	defer l.forget(id)
	request := Frame{ID: id, Kind: Request, Timeout: timeLeft(ctx), Method: method, Payload: payload}
	var err error
	if c.frame, err = request.encode(l.client.maxFrame()); err != nil {
		return nil, l.errorAt(opWrite, err)
	}
	if err := l.send(ctx, c); err != nil {
		return nil, err
	}
	if err := l.wait(ctx, opWrite, c.written); err != nil {
		return nil, err
	}
	if err := l.wait(ctx, opRead, c.answered); err != nil {
		return nil, err
	}
	if c.answer.Kind == Failure {
		return nil, c.answer.remoteError()
	}
	return c.answer.Payload, nil
}

// wait ends one step.
func (l *link) wait(ctx context.Context, op string, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return l.errorAt(op, ctx.Err())
	case <-l.dead:
	}
	select {
	case <-done: // the answer was the last thing that came
		return nil
	default:
		return l.failure(op)
	}
}

// send hands c to the writer.
func (l *link) send(ctx context.Context, c *call) error {
	select {
	case l.outgoing <- c:
		return nil
	case <-ctx.Done():
		return l.errorAt(opWrite, ctx.Err())
	case <-l.dead:
		return l.failure(opWrite)
	}
}

// run dials, and reads until the link fails.
func (l *link) run(ctx context.Context) {
	conn, err := l.client.dial(ctx)
	if err != nil {
		l.fail(l.errorAt(opDial, err))
		return
	}
	if !l.attach(conn) {
		conn.Close()
		return
	}
	var writeErr error
	stopped := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() { writeErr = l.write(stopped) })
	readErr := l.read()
	close(stopped)
	conn.Close() // ends a write under way
	writer.Wait()
	l.fail(cause(readErr, writeErr))
}

// cause is why a connection failed, of what its reader and its writer met. The kernel
// hands ECONNRESET to one of them, and EOF or EPIPE to the other, in any order.
// Whoever fails first closes the connection, which is no cause.
func cause(readErr, writeErr error) error {
	switch {
	case errors.Is(writeErr, syscall.ECONNRESET):
		return writeErr
	case errors.Is(readErr, net.ErrClosed) && writeErr != nil:
		return writeErr
	}
	return readErr
}

// attach gives the link its connection, unless it has failed meanwhile.
func (l *link) attach(conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return false
	}
	l.conn = conn
	close(l.ready)
	return true
}

// write sends calls until it is stopped or fails, and then closes the connection,
// unless that has gone already and read is about to say why.
func (l *link) write(stopped <-chan struct{}) error {
	timeout := cmp.Or(l.client.WriteTimeout, defaultWriteTimeout)
	for {
		select {
		case c := <-l.outgoing:
			l.conn.SetWriteDeadline(time.Now().Add(timeout))
			if _, err := l.conn.Write(c.frame); err != nil {
				if !errors.Is(err, syscall.EPIPE) {
					l.conn.Close()
				}
				return l.errorAt(opWrite, err)
			}
			close(c.written)
		case <-stopped:
			return nil
		}
	}
}

// read delivers answers and returns why no more can come.
func (l *link) read() error {
	r := bufio.NewReader(l.conn)
	for {
		f, err := ReadFrame(r, l.client.maxFrame())
		switch {
		case err != nil:
			return l.errorAt(opRead, err)
		case f.Kind == Request:
			return l.errorAt(opRead, malformed("kind is %d, want an answer", f.Kind))
		case f.ID == 0:
			return f.remoteError()
		}
		l.deliver(f)
	}
}

// deliver drops the answer to a call that was given up.
func (l *link) deliver(f Frame) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c, ok := l.calls[f.ID]; ok {
		delete(l.calls, f.ID)
		c.answer = f
		close(c.answered)
	}
}

func (l *link) newCall() (id uint64, c *call) {
	c = &call{written: make(chan struct{}), answered: make(chan struct{})}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lastID++
	l.calls[l.lastID] = c
	return l.lastID, c
}

func (l *link) forget(id uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.calls, id)
}

// fail ends the link and every call on it. Only the first error counts: those
// after it, such as EPIPE after a reset, are its echo.
func (l *link) fail(err error) {
	l.client.discard(l)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return
	}
	l.err = err
	l.cancelDial()
	if l.conn != nil {
		l.conn.Close()
	}
	close(l.dead)
}

// failure is the error of a call that was in step op when the link failed.
func (l *link) failure(op string) error {
	if errors.Is(l.err, net.ErrClosed) {
		return l.errorAt(op, net.ErrClosed)
	}
	return l.err
}

func (l *link) errorAt(op string, err error) error {
	return &CallError{Op: op, Address: l.client.Address, Err: err}
}

func (l *link) isReady() bool {
	select {
	case <-l.ready:
		return true
	default:
		return false
	}
}

// timeLeft is at least a millisecond when there is a deadline: zero means none.
func timeLeft(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	return max(time.Until(deadline), time.Millisecond)
}
