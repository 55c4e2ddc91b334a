package tests

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/rstlab/rstlab/netlab/wire"
)

// withEngine makes the swarm's clients on a host, in the way that suits the engine.
func withEngine(engine loadclient.Engine, h *netlab.Host, config loadclient.Config) loadclient.Config {
	config.Engine = engine
	if engine == loadclient.Epoll {
		config.Within = h.Do
	} else {
		config.Control = h.Control
	}
	return config
}

// TestEnginesInTwoWaves fills an accept queue but for one place, and lets a burst of 400
// come, all SYNs before the first ACK: of the limit + 1 whose SYNs are answered one gets
// the place, and the rest are reset. Both engines say the same.
func TestEnginesInTwoWaves(t *testing.T) {
	const limit, clients = 16, 400
	for _, engine := range []loadclient.Engine{loadclient.HTTP, loadclient.Epoll} {
		t.Run(engine.String(), func(t *testing.T) {
			t.Parallel()
			w, _ := overflowing(t, limit)
			endFirst := together(w, limit)
			connectAll(t, w, limit)
			awaitQueue(t, w.Server, limit)
			endFirst()
			together(w, clients)
			startSwarm(t, w, engine, clients).check(t, nil, clients-(limit+1), scenario.Fates{
				scenario.Queued: 1, scenario.Reset: limit, scenario.SYNDropped: clients - (limit + 1),
			})
		})
	}
}

// TestEnginesInTheRetryBatch is TestRetryBatch with a swarm: what the engines say of each
// client is what the server's counters and its accept log say.
func TestEnginesInTheRetryBatch(t *testing.T) {
	const limit, clients, accepts = 64, 400, 10
	for _, engine := range []loadclient.Engine{loadclient.HTTP, loadclient.Epoll} {
		t.Run(engine.String(), func(t *testing.T) {
			t.Parallel()
			w, ln := overflowing(t, limit)
			endFirst := together(w, clients)
			swarm := startSwarm(t, w, engine, clients)
			awaitQueue(t, w.Server, limit+1)
			endFirst()
			accepted := map[netip.AddrPort]bool{}
			for range accepts {
				conn, err := ln.Accept()
				fatal(t, err)
				defer conn.Close()
				accepted[conn.RemoteAddr().(*net.TCPAddr).AddrPort()] = true
			}
			together(w, clients-(limit+1))
			const first, repeated = clients - (limit + 1), clients - 2*(limit+1)
			swarm.check(t, accepted, first+repeated, scenario.Fates{
				scenario.Queued: limit + 1 + accepts, scenario.Reset: limit + 1 - accepts, scenario.SYNDropped: clients - 2*(limit+1),
			})
		})
	}
}

// runningSwarm is a swarm on a wire.
type runningSwarm struct {
	server  *netlab.Host
	before  scenario.Counters // the server's
	decided scenario.Counters // when every client had its fate
	running sync.WaitGroup
	result  loadclient.Result
	err     error
}

// enginePatience is how long a client waits: beyond the second repeated SYN and what comes
// of it. On a busy machine the first may come before the batch that is to take it.
const enginePatience = 5 * time.Second

func startSwarm(t *testing.T, w *wire.Wire, engine loadclient.Engine, clients int) *runningSwarm {
	s := &runningSwarm{server: w.Server, before: w.Server.Counters()}
	config := withEngine(engine, w.Client, loadclient.Config{
		Target: fmt.Sprintf("http://%s:%d/", w.Server.Addr(), frontPort), Clients: clients, Timeout: enginePatience,
		Decided: func() { s.decided = s.server.Counters() },
	})
	s.running.Go(func() { s.result, s.err = loadclient.Run(t.Context(), config) })
	t.Cleanup(s.running.Wait)
	return s
}

// check waits for the end and wants these fates, so many SYNs that the server dropped, and
// that it says the same of its accept queue and its resets.
func (s *runningSwarm) check(t *testing.T, accepted map[netip.AddrPort]bool, syns int, want scenario.Fates) {
	t.Helper()
	s.running.Wait()
	fatal(t, s.err)
	if !maps.Equal(s.result.Fates, want) {
		t.Errorf("the fates are %v, want %v\n%v", s.result.Fates, want, s.result)
	}
	moved := s.decided.Since(s.before)
	for name, n := range map[string]int{
		"PassiveOpens": want[scenario.Queued], "EmbryonicRsts": want[scenario.Reset],
		"ListenDrops": syns + want[scenario.Reset],
	} {
		if moved[name] != uint64(n) {
			t.Errorf("%s at the server moved by %d, want %d", name, moved[name], n)
		}
	}
	confirmed, err := loadclient.Confirm(s.result, accepted, moved)
	wanted := loadclient.Confirmation{Overflowed: want[scenario.Reset], Unanswered: len(accepted), Waiting: want[scenario.Queued] - len(accepted)}
	if err != nil || confirmed != wanted {
		t.Errorf("the server confirms %+v, %v, want %+v", confirmed, err, wanted)
	}
}

// awaitQueue waits until so many are in the front's accept queue.
func awaitQueue(t *testing.T, h *netlab.Host, n uint32) {
	t.Helper()
	if !await(func() bool { return h.AcceptQueue(frontPort).Length == n }) {
		t.Fatalf("the accept queue holds %d, want %d", h.AcceptQueue(frontPort).Length, n)
	}
}

// TestStoryOfEpoll plays the rows of 400 clients in which the front's queue is in
// question with the other engine.
func TestStoryOfEpoll(t *testing.T) {
	room := newSeats(t)
	for _, r := range rows() {
		if r.hop != "front" || r.clients != 400 {
			continue
		}
		t.Run(r.name(), func(t *testing.T) {
			t.Parallel()
			room.take(t, r.clients)
			s := newStage(t, r)
			s.engine = loadclient.Epoll
			o := s.play(t)
			if err := o.check(); err != nil {
				t.Error(err)
			}
			o.saveOnFailure(t)
		})
	}
}
