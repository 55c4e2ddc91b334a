package rpc

import (
	"cmp"
	"context"
	"net"
	"slices"
	"sync"
	"time"
)

// Client calls the methods of one server. Set the fields before the first call;
// the zero value of each but Address works. Methods are safe for concurrent use.
type Client struct {
	Address string // host:port of the server; required

	// Dial opens a connection; nil means that of a zero net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// PoolSize is how many connections are kept and shared. 0 means none: each
	// call dials a connection of its own and closes it afterwards, so that a
	// burst of calls is a burst of handshakes at the server's accept queue.
	PoolSize int
	// MaxFrame bounds a frame in either direction, in bytes; 0 means 1 MiB.
	MaxFrame int
	// WriteTimeout is how long the server may take to accept a request before
	// its connection is given up, whatever the deadline of the call; 0 means 10 s.
	WriteTimeout time.Duration

	mu     sync.Mutex
	links  []*link // in the order of their dialling
	closed bool
}

// Call sends one request and returns the payload of its answer, which is the
// caller's own. It retries nothing.
//
// The error is a *RemoteError when the server answered with one, otherwise a
// *CallError. The deadline of ctx travels with the request. A call that has
// ended leaves its connection to the others, except that a dial which nobody
// waits for any more is given up.
func (c *Client) Call(ctx context.Context, method string, payload []byte) ([]byte, error) {
	l, err := c.acquire(ctx)
	if err != nil {
		return nil, &CallError{Op: opDial, Address: c.Address, Err: err}
	}
	defer c.release(l)
	return l.call(ctx, method, payload)
}

// Close closes every connection; calls in flight and later ones fail with
// net.ErrClosed. Closing again does nothing.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closed = true
	links := slices.Clone(c.links)
	c.mu.Unlock()
	for _, l := range links {
		l.fail(net.ErrClosed)
	}
	return nil
}

// acquire picks the link of one call, and begins to dial if that takes a new
// one.
func (c *Client) acquire(ctx context.Context) (*link, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, net.ErrClosed
	}
	l := c.leastLoaded()
	if l == nil || l.load > 0 && len(c.links) < c.PoolSize {
		l = newLink(c)
		c.links = append(c.links, l)
		// The dial serves all who wait for the link, so it must not end with
		// the first of them.
		dialCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		l.cancelDial = cancel
		go l.run(dialCtx)
	}
	l.load++
	return l, nil
}

// release ends one call's use of l.
func (c *Client) release(l *link) {
	c.mu.Lock()
	l.load--
	unused := l.load == 0 && (c.PoolSize == 0 || !l.isReady())
	c.mu.Unlock()
	if unused {
		l.fail(net.ErrClosed)
	}
}

// leastLoaded is nil when there is no link to share.
func (c *Client) leastLoaded() *link {
	if c.PoolSize == 0 || len(c.links) == 0 {
		return nil
	}
	return slices.MinFunc(c.links, func(a, b *link) int { return cmp.Compare(a.load, b.load) })
}

// discard takes a link that has failed out of the pool.
func (c *Client) discard(l *link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.links, l); i >= 0 {
		c.links = slices.Delete(c.links, i, i+1)
	}
}

func (c *Client) dial(ctx context.Context) (net.Conn, error) {
	if c.Dial != nil {
		return c.Dial(ctx, "tcp", c.Address)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", c.Address)
}

func (c *Client) maxFrame() int { return cmp.Or(c.MaxFrame, defaultMaxFrame) }
