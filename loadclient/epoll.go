package loadclient

import (
	"context"
	"net/netip"
	"net/url"
	"runtime"
	"sync"
	"time"
)

// epollEngine is non-blocking sockets on a few threads, which share the clients out.
type epollEngine struct {
	*swarm
	shards []*epollShard
}

// prepare makes every client's socket.
func (e *epollEngine) prepare(ctx context.Context) error {
	target, err := netip.ParseAddrPort(e.address)
	if err != nil {
		return err
	}
	request, err := requestFor(e.cfg.Target)
	if err != nil {
		return err
	}
	n := min(e.cfg.threads(runtime.GOMAXPROCS(0)), max(1, len(e.clients)))
	for i := range n {
		e.shards = append(e.shards, newEpollShard(e.swarm, target, request, i, n))
	}
	errs := make(chan error, n)
	for _, shard := range e.shards {
		go func() { errs <- shard.prepare(ctx) }()
	}
	for range n {
		if failed := <-errs; err == nil {
			err = failed
		}
	}
	return err
}

// threads is how many of the CPUs the clients take: half of them, since the server wants
// the others, but two where there are two, since a burst is over in half the time then.
//
// In a lab it is one. The server's kernel takes up a SYN on the CPU that sent it, and two
// CPUs that find room for one more in a queue at the same time both fill it: which clients
// fit could not be predicted.
func (c Config) threads(cpus int) int {
	if c.Within != nil || c.Control != nil {
		return 1
	}
	return min(cpus, max(2, cpus/2))
}

// requestFor is the request that every client sends.
func requestFor(target string) (string, error) {
	u, err := url.Parse(target)
	if err != nil {
		return "", err
	}
	return "GET " + u.RequestURI() + " HTTP/1.1\r\nHost: " + u.Host + "\r\nUser-Agent: rstlab\r\n\r\n", nil
}

func (e *epollEngine) run(ctx context.Context, start time.Time) {
	e.start = start
	defer context.AfterFunc(ctx, func() {
		for _, shard := range e.shards {
			shard.cancel(ctx)
		}
	})()
	var running sync.WaitGroup
	for _, shard := range e.shards {
		if ctx.Err() != nil { // perhaps since before all sockets were made
			shard.cancel(ctx)
		}
		running.Go(shard.run)
	}
	running.Wait()
}

func (e *epollEngine) stalls() (worst Stalls) {
	for _, shard := range e.shards {
		worst = worst.or(shard.stalls)
	}
	return worst
}

func (e *epollEngine) seal() {
	var sealing sync.WaitGroup
	for _, shard := range e.shards {
		sealing.Go(shard.seal)
	}
	sealing.Wait()
}
