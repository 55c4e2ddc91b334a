package tests

import (
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/diagnose"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// playedCauses are those that a scenario makes happen.
func playedCauses() []cause {
	after := func(d time.Duration) *time.Duration { return &d }
	// 16 of 17 places are taken when the second wave comes.
	full := func(second int, k knobs, change func(*scenario.Scenario)) func(*testing.T) staged {
		s := k.scenario(16, scenario.Wave{Clients: 16}, scenario.Wave{Clients: second, At: secondWave})
		s.RTT = 20 * time.Millisecond
		change(&s)
		return played(s)
	}
	empty := func(k knobs, change func(*scenario.Scenario)) func(*testing.T) staged {
		s := k.scenario(16, scenario.Wave{Clients: 12, At: secondWave})
		s.RTT = 20 * time.Millisecond
		change(&s)
		return played(s)
	}
	return []cause{
		{1, diagnose.AcceptOverflowAbort, 16, "ECONNRESET", full(17, knobs{abort: true}, func(s *scenario.Scenario) { s.Write = after(0) })},
		{3, diagnose.AcceptOverflowKept, 16, "", full(17, knobs{cookies: 1}, func(s *scenario.Scenario) {
			s.Write, s.Horizon = after(0), 2300*time.Millisecond
		})},
		{4, diagnose.KeptExpired, 16, "ECONNRESET", full(17, knobs{cookies: 1}, func(s *scenario.Scenario) {
			s.SYNACKRetries, s.Write, s.Horizon = 0, after(1700*time.Millisecond), 2400*time.Millisecond
		})},
		{5, diagnose.CookieGhost, 16, "ECONNRESET", full(17, knobs{cookies: 2, abort: true}, func(s *scenario.Scenario) {
			s.Write, s.SYNCookiesOff, s.Horizon = after(0), after(1200*time.Millisecond), 2600*time.Millisecond
		})},
		{7, diagnose.AcceptOverflowSYN, 9, "", full(9, knobs{abort: true}, func(s *scenario.Scenario) {
			s.Arrivals[0].Clients, s.Horizon = 17, 1800*time.Millisecond
		})},
		{8, diagnose.SYNQueueFull, 13, "", empty(knobs{}, func(s *scenario.Scenario) { s.Arrivals[0].Clients = 30 })},
		{9, diagnose.MaxSYNBacklog, 5, "", empty(knobs{}, func(s *scenario.Scenario) { s.MaxSYNBacklog = 8 })},
		{10, diagnose.ListenerClosed, 12, "ECONNRESET", empty(knobs{cookies: 1}, func(s *scenario.Scenario) { s.CloseListener = after(600 * time.Millisecond) })},
		{11, diagnose.ListenerClosedHalf, 12, "ECONNRESET", empty(knobs{cookies: 1}, func(s *scenario.Scenario) { s.CloseListener = after(515 * time.Millisecond) })},
		{17, diagnose.ClosedPort, 12, "ECONNREFUSED", empty(knobs{cookies: 1}, func(s *scenario.Scenario) { s.CloseListener = after(300 * time.Millisecond) })},
	}
}

// played plays a scenario with the witnesses on.
func played(s scenario.Scenario) func(*testing.T) staged {
	return func(t *testing.T) staged {
		t.Helper()
		st := newVirtual(t)
		st.wire.Record()
		o, err := st.play(s)
		fatal(t, err)
		e := staged{st.wire.Evidence(), st.wire}
		e.Hosts[1].Log = []scenario.LogLine{} // the server's program says nothing
		for _, fate := range o.ByClient {
			switch fate {
			case scenario.Reset:
				e.Clients = append(e.Clients, scenario.ClientError{Errno: "ECONNRESET"})
			case scenario.Refused:
				e.Clients = append(e.Clients, scenario.ClientError{Errno: "ECONNREFUSED"})
			}
		}
		return e
	}
}
