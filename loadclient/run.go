package loadclient

import (
	"context"
	"fmt"
	"time"
)

// Run lets every client live from its start to its fate, then calls cfg.Decided,
// closes the connections that are still open, all together, and reports.
//
// The records stand in the order of the client numbers and belong to the
// caller. A bad configuration, a Target that cannot be resolved and too few
// descriptors are errors before any client starts, with a zero Result. If ctx
// is cancelled, each client that had no fate yet is Failed at once, and Run
// returns the complete Result together with context.Cause(ctx). A Result that
// does not pass its own Check is a bug here and comes with that error. A child process
// that fails is an error too; what it did not report is then a local error.
//
// More clients than the process may have descriptors for are spread over child
// processes of the same binary, see [Child].
//
// When Run returns, all its connections and descriptors are closed. Several
// runs may go on at once.
func Run(ctx context.Context, cfg Config) (Result, error) {
	if err := cfg.Validate(); err != nil {
		return Result{}, fmt.Errorf("prepare swarm: %w", err)
	}
	cfg = cfg.withDefaults()
	address, err := cfg.resolve(ctx)
	if err != nil {
		return Result{}, fmt.Errorf("prepare swarm: %w", err)
	}
	if err := cfg.checkPorts(); err != nil {
		return Result{}, fmt.Errorf("prepare swarm: %w", err)
	}
	processes, err := cfg.processes()
	if err != nil {
		return Result{}, fmt.Errorf("prepare swarm: %w", err)
	}
	var result Result
	if processes > 1 {
		result, err = runChildren(ctx, cfg, address, processes)
	} else {
		result, err = runHere(ctx, cfg, address, soon)
	}
	if err != nil {
		return result, fmt.Errorf("run swarm: %w", err)
	}
	if err := result.Check(); err != nil {
		return result, fmt.Errorf("check swarm: %w", err)
	}
	return result, context.Cause(ctx)
}

// runHere runs the shard's clients in this process. It asks begin for the start when
// everything is ready for it.
func runHere(ctx context.Context, cfg Config, address string, begin func(Config) (time.Time, error)) (Result, error) {
	if err := cfg.reserveDescriptors(); err != nil {
		return Result{}, err
	}
	s := newSwarm(cfg, address)
	e := s.engine()
	if err := e.prepare(ctx); err != nil {
		e.seal()
		return Result{}, err
	}
	start, err := begin(cfg)
	if err != nil {
		ctx, cancel := context.WithCancelCause(ctx)
		cancel(err)
		e.run(ctx, time.Now()) // over at once
		e.seal()
		return Result{}, err
	}
	stopDisplay := s.tally.display(cfg.Progress)
	e.run(ctx, start)
	elapsed := max(0, s.now())
	if cfg.Decided != nil {
		cfg.Decided()
	}
	e.seal()
	stopDisplay()
	result := cfg.result(start, s.clients, elapsed)
	result.Stalls = e.stalls()
	return result, nil
}

// headStart is how long before the first client's start an engine's threads are told of
// it, so that they are awake by then.
const headStart = 2 * time.Millisecond

// soon is the start of a run that is ready now: the one in the configuration, or at once.
func soon(cfg Config) (time.Time, error) {
	now := time.Now()
	switch {
	case !cfg.Start.IsZero():
		start := now.Add(time.Until(cfg.Start.Add(cfg.ClockAhead))) // by this process's monotonic clock
		if start.Before(now) {
			return start, fmt.Errorf("field Start is %v, and the clients were ready %v later: want a later one", cfg.Start, now.Sub(start))
		}
		return start, nil
	case cfg.Engine == Epoll:
		return now.Add(headStart), nil
	}
	return now, nil
}
