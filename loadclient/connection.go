package loadclient

import (
	"net"
	"sync"
	"time"
)

// connection is a client's one connection. It keeps the first call that failed,
// which net/http does not tell, and it reads what the kernel knows before the
// socket is gone.
type connection struct {
	net.Conn
	now        func() time.Duration // since the start of the run
	synRetries uint32

	closing sync.Once

	mu        sync.Mutex // guards the fields below
	idle      *sync.Cond // on mu: inFlight became zero
	inFlight  int        // calls of Read and Write
	closed    bool       // by this side
	failure   failure
	firstByte time.Duration
	sent      int64
	received  int64
	expected  int64 // received when the last request began
	tcp       TCP   // known once it is closed
}

func newConnection(inner net.Conn, now func() time.Duration, synRetries uint32) *connection {
	c := &connection{Conn: inner, now: now, synRetries: synRetries}
	c.idle = sync.NewCond(&c.mu)
	return c
}

func (c *connection) Read(p []byte) (int, error) {
	c.begin()
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	if n > 0 && c.received == 0 {
		c.firstByte = c.now()
	}
	c.received += int64(n)
	c.finish(PhaseRead, err)
	return n, err
}

func (c *connection) Write(p []byte) (int, error) {
	c.begin()
	n, err := c.Conn.Write(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent += int64(n)
	c.finish(PhaseWrite, err)
	return n, err
}

func (c *connection) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inFlight++
}

// finish ends a call, with c.mu held.
func (c *connection) finish(phase Phase, err error) {
	c.note(phase, err)
	if c.inFlight--; c.inFlight == 0 {
		c.idle.Broadcast()
	}
}

// note keeps the first failure, with c.mu held.
//
// The kernel hands ECONNRESET to one call and gives the others EOF or EPIPE,
// and nothing turns into ECONNRESET after those. So it was first even if the
// call that took it returned second, or after net/http had closed the
// connection because of the other one. All else that comes after our own close
// is a consequence of it.
//
// Source, checked on v6.18: tcp_reset (net/ipv4/tcp_input.c), which sets EPIPE
// in CLOSE_WAIT; sk_stream_error (net/core/stream.c).
func (c *connection) note(phase Phase, err error) {
	switch {
	case err == nil:
	case c.failure.err == nil && !c.closed, isReset(err) && !isReset(c.failure.err):
		c.failure = failure{phase, err}
	}
}

// Close closes the connection. It may be called by net/http and by the client,
// in any order and more than once.
func (c *connection) Close() error {
	var err error
	c.closing.Do(func() {
		c.mu.Lock()
		c.closed = true
		c.tcp = tcpOfConn(c.Conn, c.synRetries)
		c.mu.Unlock()
		err = c.Conn.Close()
	})
	return err
}

// settle closes the connection and waits until no call is in flight: one of
// them may have taken the ECONNRESET that explains why another failed.
func (c *connection) settle() {
	_ = c.Close() // the fate is known from the calls, not from the close
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.inFlight > 0 {
		c.idle.Wait()
	}
}

// firstFailure is the first failure so far. It is final after settle.
func (c *connection) firstFailure() failure {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failure
}

// seal settles the connection and completes the client's record from it.
func (c *connection) seal(client *Client) {
	c.settle()
	c.mu.Lock()
	defer c.mu.Unlock()
	client.FirstByte = c.firstByte
	client.Sent, client.Received = c.sent, c.received
	client.TCP = c.tcp
}

// expect begins another answer.
func (c *connection) expect() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expected = c.received
}

// begun tells whether a byte of the answer that is due has come.
func (c *connection) begun() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.received > c.expected
}

// lastTCP is what the kernel knew when the connection was closed; unknown before.
func (c *connection) lastTCP() TCP {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tcp
}
