package servers

import (
	"net"
	"sync"
	"time"
)

// past is a deadline that has expired already.
var past = time.Unix(1, 0)

// gate decides when an accept may begin, and lets in one at a time. An accept
// goes through enter, the kernel, leave.
type gate struct {
	// interrupt sets the deadline of the accept that is in the kernel.
	interrupt func(time.Time) error

	mu      sync.Mutex
	changed sync.Cond // anything below has changed, or a slot has come
	pace    pace
	held    bool
	closed  bool
	inside  bool // an accept is between enter and leave
}

func newGate(interrupt func(time.Time) error) *gate {
	g := &gate{interrupt: interrupt}
	g.changed.L = &g.mu
	return g
}

// enter waits until the gate is released, the slot has come and nobody else is
// inside. The error is net.ErrClosed, after close.
func (g *gate) enter() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		wait := time.Until(g.pace.due())
		switch {
		case g.closed:
			return net.ErrClosed
		case g.held || g.inside:
			g.changed.Wait()
		case wait > 0:
			slot := time.AfterFunc(wait, g.wake)
			g.changed.Wait()
			slot.Stop()
		default:
			g.inside = true
			return nil
		}
	}
}

// leave ends what enter began. Took says whether a connection was taken, idle
// whether it had to be waited for.
func (g *gate) leave(took, idle bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside = false
	if took {
		g.pace.took(time.Now(), idle)
	}
	g.changed.Broadcast()
}

// hold shuts the gate and returns once nobody is inside. The deadline alone
// would not do: an accept that the poller has just woken takes its connection
// whatever the deadline says.
func (g *gate) hold() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.held = true
	_ = g.interrupt(past) // fails when the listener is closed, and nobody is inside then
	for g.held && g.inside {
		g.changed.Wait()
	}
}

func (g *gate) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.held = false
	g.pace.resume(time.Now())
	_ = g.interrupt(time.Time{}) // as in hold
	g.changed.Broadcast()
}

func (g *gate) setPace(every time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pace.every = every
	g.changed.Broadcast()
}

// close makes every enter return. It reports whether this was the first close.
func (g *gate) close() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	first := !g.closed
	g.closed = true
	g.changed.Broadcast()
	return first
}

// wake broadcasts under the lock: without it the timer of a short wait could
// fire before its waiter has begun to wait.
func (g *gate) wake() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.changed.Broadcast()
}
