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
// come while all ACKs are held: of the limit + 1 whose SYNs are answered one gets the
// place, and the rest are reset. Both engines say the same.
func TestEnginesInTwoWaves(t *testing.T) {
	const limit, clients = 16, 400
	for _, engine := range []loadclient.Engine{loadclient.HTTP, loadclient.Epoll} {
		t.Run(engine.String(), func(t *testing.T) {
			t.Parallel()
			p := overflowingPlug(t)
			ln, err := p.Server.Listen("tcp4", fmt.Sprintf("%s:%d", p.Server.Addr(), frontPort), limit)
			fatal(t, err)
			defer ln.Close()
			fatal(t, p.Release(false))
			connectAll(t, p, limit)
			if !await(func() bool { return p.Server.AcceptQueue(frontPort).Length == limit }) {
				t.Fatalf("the accept queue does not hold %d", limit)
			}
			fatal(t, p.Hold(false))
			server := p.Server.Counters()
			swarm := startSwarm(t, p, engine, clients)
			awaitAtLeast(t, p.Server, server, "ListenDrops", clients-(limit+1))
			fatal(t, p.Release(false))
			swarm.check(t, server, nil, 1, limit)
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
			const repeated, answered = clients - (limit + 1), limit + 1
			p := overflowingPlug(t)
			ln, err := p.Server.Listen("tcp4", fmt.Sprintf("%s:%d", p.Server.Addr(), frontPort), limit)
			fatal(t, err)
			defer ln.Close()
			server := p.Server.Counters()
			swarm := startSwarm(t, p, engine, clients)
			awaitCounter(t, p.Server, server, "ListenDrops", repeated)
			fatal(t, p.Release(false))
			awaitCounter(t, p.Server, server, "PassiveOpens", limit+1)
			accepted := map[netip.AddrPort]bool{}
			for range accepts {
				conn, err := ln.Accept()
				fatal(t, err)
				defer conn.Close()
				accepted[conn.RemoteAddr().(*net.TCPAddr).AddrPort()] = true
			}
			fatal(t, p.Hold(false))
			awaitCounter(t, p.Server, server, "ListenDrops", repeated+repeated-answered)
			fatal(t, p.Release(false))
			swarm.before = limit + 1
			swarm.check(t, server, accepted, limit+1+accepts, answered-accepts)
		})
	}
}

func overflowingPlug(t *testing.T) *wire.Plug {
	p := wire.NewPlug(t)
	p.Server.Sysctl(abortKey, "1")
	p.Server.Sysctl("net.ipv4.tcp_syncookies", "0")
	return p
}

// runningSwarm is a swarm behind a plug.
type runningSwarm struct {
	plug    *wire.Plug
	running sync.WaitGroup
	result  loadclient.Result
	err     error
	decided scenario.Counters // the server's when every client had its fate
	before  int               // clients in the queue before the batch in which some are reset
}

// enginePatience is how long a client waits: beyond the first repeated SYN and what comes
// of it.
const enginePatience = 3 * time.Second

func startSwarm(t *testing.T, p *wire.Plug, engine loadclient.Engine, clients int) *runningSwarm {
	s := &runningSwarm{plug: p}
	config := withEngine(engine, p.Client, loadclient.Config{
		Target: fmt.Sprintf("http://%s:%d/", p.Server.Addr(), frontPort), Clients: clients, Timeout: enginePatience,
		Decided: func() { s.decided = p.Server.Counters() },
	})
	s.running.Go(func() { s.result, s.err = loadclient.Run(t.Context(), config) })
	t.Cleanup(s.running.Wait)
	return s
}

// check wants so many clients in the accept queue or accepted, so many reset in the
// handshake, and the rest without an answer to their SYNs.
//
// A handshake that the kernel resets and completes at the same time, because its ACK and
// its first data come on two CPUs, is stolen: the client is reset, the server has it in
// the queue all the same, and EmbryonicRsts, which is exact, does not count it.
func (s *runningSwarm) check(t *testing.T, server scenario.Counters, accepted map[netip.AddrPort]bool, queued, resets int) {
	t.Helper()
	s.running.Wait()
	fatal(t, s.err)
	moved := s.decided.Since(server)
	if got := moved["EmbryonicRsts"]; got != uint64(resets) {
		t.Errorf("EmbryonicRsts at the server is %d, want %d", got, resets)
	}
	stolen := s.result.Fates[scenario.Reset] - resets
	fates := scenario.Fates{
		scenario.Queued: queued - stolen, scenario.Reset: resets + stolen, scenario.SYNDropped: len(s.result.Clients) - queued - resets,
	}
	maps.DeleteFunc(fates, func(_ scenario.Fate, n int) bool { return n == 0 })
	if stolen < 0 || stolen > queued-s.before || !maps.Equal(s.result.Fates, fates) {
		t.Errorf("the fates are %v, want %v\n%v", s.result.Fates, fates, s.result)
	}
	if stolen > 0 {
		t.Logf("%d handshakes were reset and completed at the same time", stolen)
	}
	moved["EmbryonicRsts"] += uint64(stolen)
	got, err := loadclient.Confirm(s.result, accepted, moved)
	if err != nil || got.Overflowed+got.ByProgram != resets+stolen || got.Waiting+got.Unanswered != queued-stolen || got.ByProgram > stolen {
		t.Errorf("the server confirms %+v, %v, want %d reset and %d queued", got, err, resets+stolen, queued-stolen)
	}
}

// awaitAtLeast waits until a counter has moved by n or more since a reading.
func awaitAtLeast(t *testing.T, h *netlab.Host, before scenario.Counters, name string, n uint64) {
	t.Helper()
	if !await(func() bool { return h.Counters().Since(before)[name] >= n }) {
		t.Fatalf("%s at the %s moved by %d, want %d", name, h.Name(), h.Counters().Since(before)[name], n)
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
