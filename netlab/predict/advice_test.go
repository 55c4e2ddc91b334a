package predict

import (
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// stalled is a burst against a server that accepts nobody.
func stalled(clients, backlog int) scenario.Scenario {
	s := scenario.Defaults()
	s.Arrivals = scenario.Arrivals{{Clients: clients}}
	s.RTT, s.Backlog, s.AbortOnOverflow = 100*time.Millisecond, backlog, true
	s.Accept.Mode = scenario.AcceptNever
	return s
}

func TestAdvise(t *testing.T) {
	paced := stalled(2000, 16)
	paced.Accept = scenario.Accept{Mode: scenario.AcceptEvery, Every: 10 * time.Millisecond}
	atOnce := stalled(10, 16)
	atOnce.Accept.Mode = scenario.AcceptNow
	noCookies := stalled(400, 16)
	noCookies.SYNCookies, noCookies.MaxSYNBacklog = 0, 40
	for _, c := range []struct {
		name                string
		s                   scenario.Scenario
		backlog, gap, burst int // -1: no such advice
	}{
		// The accept queue holds limit+1, and nobody ever leaves it.
		{"stalled", stalled(400, 16), 399, -1, 17},
		// The first one is accepted at once, and makes room for one more. When the last
		// one's ACK comes, 1999 have come before it and 1 + floor(1999 gaps / 10 ms) were
		// accepted; 16 may be waiting.
		{"one accept in 10ms", paced, 1998, 9915, 18},
		{"nobody is lost", atOnce, 0, 0, largestBurst},
		// tcp_max_syn_backlog lets 40-10+1 half-open connections in, whatever the backlog.
		{"the last quarter", noCookies, -1, -1, 17},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := Advise(c.s, scenario.Modern)
			if err != nil {
				t.Fatal(err)
			}
			for _, part := range []struct {
				name      string
				threshold *Threshold
				value     func(scenario.Scenario) int
				want      int
			}{
				{"backlog", a.Backlog, func(s scenario.Scenario) int { return s.Backlog }, c.backlog},
				{"gap in microseconds", a.Gap, func(s scenario.Scenario) int { return int(s.Arrivals[0].Gap / GapStep) }, c.gap},
				{"burst", a.Burst, func(s scenario.Scenario) int { return s.Arrivals.Clients() }, c.burst},
			} {
				got := -1
				if part.threshold != nil {
					got = part.value(part.threshold.At.Scenario)
					checkThreshold(t, part.name, *part.threshold)
				}
				if got != part.want {
					t.Errorf("%s is %d, want %d", part.name, got, part.want)
				}
			}
		})
	}
}

// checkThreshold holds a threshold to its proof.
func checkThreshold(t *testing.T, name string, th Threshold) {
	t.Helper()
	if !Lossless(th.At.Outcome) {
		t.Errorf("%s: at the threshold somebody is lost: %v", name, th.At.Outcome.Fates)
	}
	if th.Beyond != nil && Lossless(th.Beyond.Outcome) {
		t.Errorf("%s: beyond the threshold nobody is lost: %v", name, th.Beyond.Scenario)
	}
}

func TestAdviseRefusesABadScenario(t *testing.T) {
	_, err := Advise(scenario.Scenario{}, scenario.Modern)
	if want := "number of clients in arrivals is 0, want 1 to 100000000"; err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
}
