package tests

import (
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// TestExactLate plays what the kernels' own timers do, in real time, and holds it
// against predict to the last count. Each scenario is made so that nothing happens
// within tens of milliseconds of what it could be confused with.
func TestExactLate(t *testing.T) {
	needTUN(t)
	// 10 connections wait in a queue of 17. Of the next 40 clients 17 get into the SYN
	// queue and 23 get SYN cookies; 7 find room, 10 are kept, 23 are ghosts.
	late := func(horizon time.Duration, change func(*scenario.Scenario)) scenario.Scenario {
		s := knobs{cookies: 1}.scenario(16, scenario.Wave{Clients: 10}, scenario.Wave{Clients: 40, At: 200 * time.Millisecond})
		s.RTT, s.SYNACKRetries, s.Horizon = 20*time.Millisecond, 1, horizon
		change(&s)
		return s
	}
	after := func(d time.Duration) *time.Duration { return &d }
	for name, s := range map[string]scenario.Scenario{
		// The SYN-ACK is repeated after 1 s, and the request expires after 3 s.
		"a kept request expires": late(4*time.Second, func(*scenario.Scenario) {}),
		"a kept request expires, then data": late(4700*time.Millisecond, func(s *scenario.Scenario) {
			s.Write = after(3700 * time.Millisecond)
		}),
		"a kept request is accepted with its repeated SYN-ACK": late(4*time.Second, func(s *scenario.Scenario) {
			s.SYNACKRetries = 3
			s.Accept = scenario.Accept{Mode: scenario.AcceptFrom, From: 2500 * time.Millisecond}
		}),
		// The first byte is repeated after 0.2, 0.4, 0.8 s and so on.
		"a kept request and a ghost are accepted with repeated data": late(5*time.Second, func(s *scenario.Scenario) {
			s.Write, s.SYNACKRetries = after(0), 5
			s.Accept = scenario.Accept{Mode: scenario.AcceptFrom, From: 2500 * time.Millisecond}
		}),
		"a ghost is rescued by its data": late(2*time.Second, func(s *scenario.Scenario) {
			s.Write, s.SYNACKRetries = after(1500*time.Millisecond), 5
			s.Accept = scenario.Accept{Mode: scenario.AcceptFrom, From: 700 * time.Millisecond}
		}),
		"a ghost writes after SYN cookies were switched off": late(900*time.Millisecond, func(s *scenario.Scenario) {
			s.Write, s.SYNCookiesOff = after(500*time.Millisecond), after(400*time.Millisecond)
		}),
		// More than half of the SYN queue is old: retries are cut to two, at 7 s.
		"old requests are pruned": late(8*time.Second, func(s *scenario.Scenario) { s.SYNACKRetries = 5 }),
		"SYNs are repeated": late(4500*time.Millisecond, func(s *scenario.Scenario) {
			s.Arrivals[0].Clients = 17
		}),
		// Three accepts, at 0.3, 0.7 and 1.1 s, before the ACKs of the repeated SYNs at
		// 1.3 s: 62 of the 65 that the SYN queue holds are reset.
		"the batch of repeated SYNs is reset": late(1700*time.Millisecond, func(s *scenario.Scenario) {
			s.Arrivals = scenario.Arrivals{{Clients: 400}}
			s.RTT, s.Backlog, s.SYNCookies, s.AbortOnOverflow = 200*time.Millisecond, 64, 0, true
			s.Accept = scenario.Accept{Mode: scenario.AcceptEvery, Every: 400 * time.Millisecond}
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := newVirtual(t)
			if err := st.compare(s); err != nil {
				t.Errorf("%v\n%v", s, err)
			}
		})
	}
}
