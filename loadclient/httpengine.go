package loadclient

import (
	"context"
	"sync"
	"time"
)

// httpEngine is a goroutine and net/http for each client.
type httpEngine struct {
	*swarm
	schedule schedule
	conns    []*connection   // by client; nil: never connected
	ready    sync.WaitGroup  // every client's goroutine stands behind its gate
	decided  sync.WaitGroup  // every client has its fate
	ctx      context.Context // of the run; set, like start, before the first gate opens
	stalled  Stalls
}

// prepare brings every client's goroutine behind its gate, so that the start of a burst
// is not the making of its goroutines.
func (e *httpEngine) prepare(context.Context) error {
	e.schedule = newSchedule(e.clients)
	e.conns = make([]*connection, len(e.clients))
	e.ready.Add(len(e.clients))
	for i := range e.clients {
		e.decided.Go(func() {
			e.ready.Done()
			<-e.schedule.gate(&e.clients[i])
			e.conns[i] = e.visit(e.ctx, &e.clients[i])
		})
	}
	e.ready.Wait()
	return nil
}

func (e *httpEngine) run(ctx context.Context, start time.Time) {
	e.ctx, e.start = ctx, start
	wait := waitUntil
	if e.cfg.Dial == nil { // a dialer of the caller's own may live under a fake clock
		wait = waitExactly
		stop := watchStalls()
		defer func() { e.stalled = stop() }()
	}
	e.schedule.open(ctx, start, wait)
	e.decided.Wait()
}

func (e *httpEngine) stalls() Stalls { return e.stalled }

func (e *httpEngine) seal() {
	for i, conn := range e.conns {
		if conn != nil {
			conn.seal(&e.clients[i])
		}
	}
}
