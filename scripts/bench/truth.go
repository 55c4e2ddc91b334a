package main

import (
	"context"
	"fmt"
	"time"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/rstlab/rstlab/netlab/wire"
)

var truth = question{
	name: "truth", kind: kindTruth,
	clients: func(z size) int { return z.truth },
	what:    "a burst of 100 against a full queue: what a tool says, and what was",
	figures: []figure{
		{"said to be fine", "", false}, {"said to have failed", "", false}, {"answered", "connections", false}, {"EmbryonicRsts", "", false},
		{"what was said is off by", "", false},
	},
	play:     playTruth,
	possible: netlab.TUNAvailable,
	must:     func(a Answer) []Check { return []Check{a.always(offFigure, 0)} },
}

// offFigure is by how many what a tool says is off.
const offFigure = 4

// roomInQueue is for how many of the burst the accept queue has room.
const roomInQueue = 16

// playTruth has the server stand still while its accept queue is filled but for some
// places. The SYNs of the whole burst reach the server before the first ACK does. Then the
// first ACKs find a place, and the kernel resets the other clients:
// tcp_abort_on_overflow is set. Then the server goes on, and answers everybody who is
// there or comes again.
func playTruth(ctx context.Context, tb netlab.TB, t tool, z size) (sample, error) {
	w := wire.New(tb)
	s, err := newStageOf(tb, w.Client, w.Server)
	if err != nil {
		return sample{}, err
	}
	if err := s.server.SetSysctl("net.ipv4.tcp_abort_on_overflow", "1"); err != nil {
		return sample{}, err
	}
	s.serve(serverPlan{Backlog: z.truth - 1}) // both queues hold one more
	s.proc.Pause()
	stop := w.GoLive()
	if err := s.fill(ctx, tb, z.truth-roomInQueue); err != nil {
		return sample{}, err
	}
	stop()
	before := s.server.Counters()
	finish, err := s.begin(t, load{Kind: kindTruth, Clients: z.truth})
	if err != nil {
		return sample{}, err
	}
	s.gather(w, before, z.truth)
	s.proc.Resume()
	p, err := finish(ctx)
	if err != nil {
		return sample{}, err
	}
	moves := s.server.Counters().Since(before)
	counted, err := s.stop()
	if err != nil {
		return sample{}, err
	}
	said, err := t.told(p.output)
	if err != nil {
		return sample{}, err
	}
	return truthOf(said, counted, moves, z.truth), nil
}

// truthOf holds what a tool says against the server: of its clients, those that were
// answered, and those that the kernel reset.
func truthOf(said told, counted served, moves scenario.Counters, clients int) sample {
	answered, resets := counted.Connections, int(moves["EmbryonicRsts"])
	off := max(said.OK-answered, answered-said.OK) + max(said.Failed-resets, resets-said.Failed)
	off = max(off, said.OK+said.Failed-clients, clients-said.OK-said.Failed)
	note := fmt.Sprintf("ListenOverflows %d", moves["ListenOverflows"])
	return sample{Values: []float64{float64(said.OK), float64(said.Failed), float64(answered), float64(resets), float64(off)}, Note: note}
}

// gather carries the burst until the server has decided on it, and then whatever comes.
// wrk and ab make one connection first, and the others when that is made: they get a
// second chance.
func (s *stage) gather(w *wire.Wire, before scenario.Counters, n int) {
	moved := func(name string) int { return int(s.server.Counters().Since(before)[name]) }
	for range 2 {
		together, stop := w.Together(n), w.GoLive()
		await(firstPatience, func() bool { return moved("InSegs") > 0 })
		all := await(burstPatience, func() bool { return moved("PassiveOpens")+moved("EmbryonicRsts") >= n })
		stop()
		if w.Release(together); all {
			break
		}
	}
	w.GoLive()
	await(burstPatience, func() bool { return len(s.server.SYNQueue(port)) == 0 })
}

// fill puts n connections into the accept queue, which stay there until the lab closes.
func (s *stage) fill(ctx context.Context, tb netlab.TB, n int) error {
	for range n {
		conn, err := s.client.DialContext(ctx, "tcp4", fmt.Sprintf("%s:%d", s.server.Addr(), port))
		if err != nil {
			return err
		}
		tb.Cleanup(func() { _ = conn.Close() }) // nothing was written
	}
	if !await(firstPatience, func() bool { return int(s.server.AcceptQueue(port).Length) == n }) {
		return fmt.Errorf("accept queue is %v, want %d in it", s.server.AcceptQueue(port), n)
	}
	return nil
}

// Bounds of waits. The first SYN comes when the tool has started; a whole burst takes
// milliseconds.
const (
	firstPatience = 10 * time.Second
	burstPatience = 500 * time.Millisecond
)

// await looks again and again until it is so; false: the patience was over first.
func await(patience time.Duration, so func() bool) bool {
	for deadline := time.Now().Add(patience); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}
