package loadclient

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// Run lets every client live from its start to its fate, then calls cfg.Decided,
// closes the connections that are still open, all together, and reports.
//
// The records stand in the order of the client numbers and belong to the
// caller. A bad configuration, a Target that cannot be resolved and too few
// descriptors are errors before any client starts, with a zero Result. If ctx
// is cancelled, each client that had no fate yet is Failed at once, and Run
// returns the complete Result together with context.Cause(ctx). A Result that
// does not pass its own Check is a bug here and comes with that error.
//
// When Run returns, all its connections and descriptors are closed. Several
// runs may go on at once.
func Run(ctx context.Context, cfg Config) (Result, error) {
	s, err := newSwarm(ctx, cfg)
	if err != nil {
		return Result{}, fmt.Errorf("prepare swarm: %w", err)
	}
	stopDisplay := s.tally.display(cfg.Progress)
	result := s.run(ctx)
	stopDisplay()
	if err := result.Check(); err != nil {
		return result, fmt.Errorf("check swarm: %w", err)
	}
	return result, context.Cause(ctx)
}

// swarm is one run. Each client's record is written by its own goroutine only,
// until all of these have ended.
type swarm struct {
	cfg      Config // valid, with its defaults
	address  string // "host:port" that every client dials
	schedule schedule
	start    time.Time // set before the first gate opens
	clients  []Client
	conns    []*connection // by client; nil: never connected
	tally    *tally
}

func newSwarm(ctx context.Context, cfg Config) (*swarm, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	address, err := cfg.resolve(ctx)
	if err != nil {
		return nil, err
	}
	if err := cfg.reserveDescriptors(); err != nil {
		return nil, err
	}
	s := &swarm{cfg: cfg, address: address, schedule: newSchedule(cfg.Waves)}
	s.clients = make([]Client, len(s.schedule.due))
	s.conns = make([]*connection, len(s.clients))
	s.tally = &tally{clients: len(s.clients)}
	for i, due := range s.schedule.due {
		s.clients[i] = Client{Number: i, Planned: due}
	}
	return s, nil
}

// run starts the clock when every client's goroutine stands behind its gate, so
// that the start of a burst is not the making of its goroutines.
func (s *swarm) run(ctx context.Context) Result {
	var ready, decided sync.WaitGroup
	ready.Add(len(s.clients))
	for i := range s.clients {
		decided.Go(func() {
			ready.Done()
			s.conns[i] = s.visit(ctx, &s.clients[i])
		})
	}
	ready.Wait()
	s.start = time.Now()
	s.schedule.open(ctx, s.start)
	decided.Wait()
	elapsed := s.now()
	if s.cfg.Decided != nil {
		s.cfg.Decided()
	}
	for i, conn := range s.conns {
		if conn != nil {
			conn.seal(&s.clients[i])
		}
	}
	return s.result(elapsed)
}

// now is the time since the start of the run.
func (s *swarm) now() time.Duration {
	return time.Since(s.start)
}

// end gives a client its fate and counts it.
func (s *swarm) end(c *Client, f failure) {
	c.end(s.now(), f)
	s.tally.fates[c.Fate].Add(1)
}

func (s *swarm) result(elapsed time.Duration) Result {
	fates := scenario.Fates{}
	for _, c := range s.clients {
		fates[c.Fate]++
	}
	return Result{Target: s.cfg.Target, Clients: s.clients, Fates: fates, Elapsed: elapsed}
}
