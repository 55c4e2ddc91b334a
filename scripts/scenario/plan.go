package main

import (
	"cmp"
	"slices"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// lastPlan is when the last thing that the scenario plans has happened, and every
// client's first handshake is over.
func lastPlan(s scenario.Scenario) time.Duration {
	last := max(s.Settled(), s.Accept.From)
	for _, at := range []*time.Duration{s.CloseListener, s.SYNCookiesOff} {
		if at != nil {
			last = max(last, *at)
		}
	}
	if s.Write != nil {
		last = max(last, s.Settled()+*s.Write)
	}
	for _, w := range s.Accept.Paused {
		last = max(last, w.To)
	}
	for _, l := range s.ListenAgain {
		last = max(last, l.At)
	}
	return last
}

// prepareAccept sets how the server accepts at the start.
func (r *real) prepareAccept() {
	if at, ever := r.Accept.Open(0); !ever || at > 0 {
		r.listener.Hold()
	}
	r.listener.SetPace(r.Accept.Every)
}

// step is what is done at the server at an instant.
type step struct {
	at time.Duration
	do func()
}

// follow does, each at its time, what the scenario has planned for the server.
func (r *real) follow(begin time.Time) {
	var steps []step
	add := func(at time.Duration, do func()) { steps = append(steps, step{at, do}) }
	if r.Accept.Mode == scenario.AcceptFrom {
		add(r.Accept.From, r.listener.Release)
	}
	for _, w := range r.Accept.Paused {
		add(w.From, r.listener.Hold)
		add(w.To, r.listener.Release)
	}
	for _, l := range r.ListenAgain {
		add(l.At, func() { r.note(r.listener.SetBacklog(l.Backlog)) })
	}
	if r.CloseListener != nil {
		add(*r.CloseListener, r.closeListener)
	}
	if r.SYNCookiesOff != nil {
		add(*r.SYNCookiesOff, func() { r.note(r.server.SetSysctl(scenario.SYNCookiesKey, "0")) })
	}
	slices.SortStableFunc(steps, func(a, b step) int { return cmp.Compare(a.at, b.at) })
	for _, s := range steps {
		if s.at <= r.Horizon {
			time.Sleep(time.Until(begin.Add(s.at)))
			s.do()
		}
	}
}

func (r *real) closeListener() {
	r.drops, r.closed = r.readDrops(), true
	r.note(r.listener.Close())
}

func (r *real) readDrops() uint64 {
	if r.closed {
		return r.drops
	}
	return uint64(r.server.AcceptQueue(frontPort).Drops)
}
