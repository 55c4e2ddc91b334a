package scenario

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// MaxClients bounds the clients of a scenario.
const MaxClients = 100_000_000

// firstSYNTimeout is when a client repeats its SYN for the first time:
// TCP_TIMEOUT_INIT, include/net/tcp.h.
const firstSYNTimeout = time.Second

// Validate says in one sentence what is wrong with the first bad field: its name in
// JSON, its value and what is allowed. Nil means that all engines can play it.
func (s Scenario) Validate() error {
	if err := s.Arrivals.Validate(); err != nil {
		return fmt.Errorf("arrivals: %w", err)
	}
	for _, check := range []func() error{s.validateNumbers, s.validateTimes, s.Accept.validate, s.validateListener} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (s Scenario) validateNumbers() error {
	for _, field := range []struct {
		name             string
		value, low, high int
	}{
		{"number of clients in arrivals", s.Arrivals.Clients(), 1, MaxClients},
		{"backlog", s.Backlog, -1, math.MaxInt32},
		{"somaxconn", s.Somaxconn, 0, math.MaxInt32},
		{"syncookies", s.SYNCookies, 0, 2},
		{"max_syn_backlog", s.MaxSYNBacklog, 0, math.MaxInt32},
		{"synack_retries", s.SYNACKRetries, 0, math.MaxUint8},
	} {
		if field.value < field.low || field.value > field.high {
			return fmt.Errorf("%s is %d, want %d to %d", field.name, field.value, field.low, field.high)
		}
	}
	return nil
}

func (s Scenario) validateTimes() error {
	if err := s.validateLongest(); err != nil {
		return err
	}
	switch {
	case s.RTT < 0:
		return fmt.Errorf("rtt is %v, want zero or more", s.RTT)
	case s.Write != nil && *s.Write < 0:
		return fmt.Errorf("write is %v, want never, zero or more", *s.Write)
	case s.Horizon < 0:
		return fmt.Errorf("horizon is %v, want zero (no kernel timers) or more", s.Horizon)
	case s.Horizon > 0 && s.RTT >= firstSYNTimeout:
		return fmt.Errorf("rtt is %v with a horizon, want less than %v, after which a client repeats its SYN", s.RTT, firstSYNTimeout)
	case s.Horizon > 0 && s.Horizon < s.Settled():
		return fmt.Errorf("horizon is %v, want at least %v, which is the last arrival and two round trips", s.Horizon, s.Settled())
	}
	return nil
}

// validateLongest refuses times that arithmetic could not bear.
func (s Scenario) validateLongest() error {
	times := map[string]time.Duration{"rtt": s.RTT, "horizon": s.Horizon, "accept.from": s.Accept.From}
	for name, at := range map[string]*time.Duration{"write": s.Write, "close_listener": s.CloseListener, "syncookies_off": s.SYNCookiesOff} {
		if at != nil {
			times[name] = *at
		}
	}
	for i, l := range s.ListenAgain {
		times[fmt.Sprintf("listen_again[%d].at", i)] = l.At
	}
	for i, w := range s.Accept.Paused {
		times[fmt.Sprintf("accept.paused[%d].to", i)] = w.To
	}
	for _, name := range slices.Sorted(maps.Keys(times)) {
		if times[name] > MaxTime {
			return fmt.Errorf("%s is %v, want at most %v", name, times[name], MaxTime)
		}
	}
	if s.Accept.Every > MaxTime/time.Duration(s.Arrivals.Clients()) {
		return fmt.Errorf("accept.every is %v, and with %d clients that takes more than %v, want less", s.Accept.Every, s.Arrivals.Clients(), MaxTime)
	}
	return nil
}

func (a Accept) validate() error {
	switch a.Mode {
	case AcceptNever, AcceptNow, AcceptEvery, AcceptFrom, AcceptPaused:
	default:
		return fmt.Errorf("accept.mode is %q, want one of never, now, every, from, paused", a.Mode)
	}
	switch {
	case a.Mode == AcceptEvery && a.Every <= 0:
		return fmt.Errorf("accept.every is %v, want more than zero with mode every", a.Every)
	case a.Mode != AcceptEvery && a.Every != 0:
		return fmt.Errorf("accept.every is %v with mode %s, want it only with mode every", a.Every, a.Mode)
	case a.Mode != AcceptFrom && a.From != 0:
		return fmt.Errorf("accept.from is %v with mode %s, want it only with mode from", a.From, a.Mode)
	case a.From < 0:
		return fmt.Errorf("accept.from is %v, want zero or more", a.From)
	case a.Mode == AcceptPaused && len(a.Paused) == 0:
		return fmt.Errorf("accept.paused has no window, want at least one with mode paused")
	case a.Mode != AcceptPaused && len(a.Paused) != 0:
		return fmt.Errorf("accept.paused has %d windows with mode %s, want them only with mode paused", len(a.Paused), a.Mode)
	}
	var end time.Duration
	for i, w := range a.Paused {
		if w.From < end || w.To <= w.From {
			return fmt.Errorf("accept.paused[%d] is from %v to %v, want it to begin at %v or later and to end after it began", i, w.From, w.To, end)
		}
		end = w.To
	}
	return nil
}

func (s Scenario) validateListener() error {
	if s.CloseListener != nil && *s.CloseListener < 0 {
		return fmt.Errorf("close_listener is %v, want zero or more", *s.CloseListener)
	}
	if s.SYNCookiesOff != nil && *s.SYNCookiesOff < 0 {
		return fmt.Errorf("syncookies_off is %v, want zero or more", *s.SYNCookiesOff)
	}
	var last time.Duration
	for i, l := range s.ListenAgain {
		switch {
		case l.At < last:
			return fmt.Errorf("listen_again[%d].at is %v, want %v or later: in the order of their times", i, l.At, last)
		case l.Backlog < -1 || l.Backlog > math.MaxInt32:
			return fmt.Errorf("listen_again[%d].backlog is %d, want -1 to %d", i, l.Backlog, math.MaxInt32)
		case s.CloseListener != nil && l.At >= *s.CloseListener:
			return fmt.Errorf("listen_again[%d].at is %v, want it before close_listener, which is %v", i, l.At, *s.CloseListener)
		}
		last = l.At
	}
	return nil
}
