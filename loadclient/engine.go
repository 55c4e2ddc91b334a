package loadclient

import (
	"context"
	"fmt"
	"time"
)

// Engine is how a swarm makes its clients. The zero value is HTTP.
type Engine uint8

// The engines. Both give the same clients the same fates.
const (
	// HTTP is a goroutine and net/http for each client: what a Go program's users do.
	// It takes some 40 kB and two descriptors a client.
	HTTP Engine = iota

	// Epoll is non-blocking sockets, made and bound before the start, on threads that do
	// nothing else. It speaks HTTP/1.1 itself. It takes some 250 bytes and one
	// descriptor a client, and holds every pace to some tens of microseconds: for storms.
	Epoll
)

var engineNames = [...]string{"http", "epoll"}

// String is the engine's name, as it stands in JSON.
func (e Engine) String() string {
	if int(e) < len(engineNames) {
		return engineNames[e]
	}
	return fmt.Sprintf("engine(%d)", uint8(e))
}

// MarshalText gives the engine's name.
func (e Engine) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText reads an engine's name.
func (e *Engine) UnmarshalText(text []byte) error {
	for i, name := range engineNames {
		if name == string(text) {
			*e = Engine(i)
			return nil
		}
	}
	return fmt.Errorf("engine %q: want http or epoll", text)
}

// engine runs the clients of one process.
type engine interface {
	// prepare makes ready whatever need not be done after the start, or if ctx is done
	// leaves it, for a run that is over at once.
	prepare(ctx context.Context) error
	// run lets every client live to its fate. Client times count from start.
	run(ctx context.Context, start time.Time)
	// stalls is by how much the threads were held up during the run.
	stalls() Stalls
	// seal closes the connections that are still open, all together, and completes the
	// records from them. It also undoes a prepare that no run followed.
	seal()
}

// swarm is one process's part of a run. Each client's record is written by one goroutine
// only, until all of them have their fates.
type swarm struct {
	cfg     Config // valid, with its defaults
	address string // "host:port" that every client dials
	ports   *ports
	start   time.Time // set before the first client starts
	clients []Client
	tally   *tally
}

func newSwarm(cfg Config, address string) *swarm {
	s := &swarm{cfg: cfg, address: address, clients: make([]Client, cfg.ownClients())}
	for number, due := range cfg.Waves.Due() {
		if number%cfg.Shards == cfg.Shard {
			s.clients[number/cfg.Shards] = Client{Number: number, Planned: due}
		}
	}
	s.tally = &tally{clients: len(s.clients)}
	s.ports = newPorts(cfg)
	return s
}

func (s *swarm) engine() engine {
	if s.cfg.Engine == Epoll {
		return &epollEngine{swarm: s}
	}
	return &httpEngine{swarm: s}
}

// now is the time since the start of the run, negative before it.
func (s *swarm) now() time.Duration {
	return time.Since(s.start)
}

// end gives a client its fate and counts it. The time before the start, when a run may be
// cancelled too, counts as zero.
func (s *swarm) end(c *Client, f failure, begun bool) {
	c.end(max(0, s.now()), f, begun)
	s.tally.fates[c.Fate].Add(1)
}
