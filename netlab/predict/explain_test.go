package predict

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// Every rule decides somewhere, and says so by its name.
func TestExplain(t *testing.T) {
	after := func(d time.Duration) *time.Duration { return &d }
	// Client 0 fills the queue of two places to its half; 1 and 2 are under way when 1
	// fills it.
	three := func(change func(*scenario.Scenario)) scenario.Scenario {
		s := stalled(3, 1)
		s.Arrivals = scenario.Arrivals{{Clients: 1}, {Clients: 2, At: time.Second}}
		s.SYNCookies = 0
		change(&s)
		return s
	}
	for _, c := range []struct {
		name string
		s    scenario.Scenario
		want []Rule // for the last client
	}{
		{"reset", three(func(*scenario.Scenario) {}), []Rule{SYNAnswered, SegmentReset}},
		{"reset twice", three(func(s *scenario.Scenario) { s.Write = after(0) }), []Rule{SYNAnswered, SegmentReset, SegmentStray}},
		{"kept", three(func(s *scenario.Scenario) { s.AbortOnOverflow = false }), []Rule{SYNAnswered, SegmentKept}},
		{"served", three(func(s *scenario.Scenario) { s.Accept.Mode, s.Write = scenario.AcceptNow, after(0) }),
			[]Rule{SYNAnswered, SegmentAccepted, SegmentOfConnection}},
		{"SYN queue", three(func(s *scenario.Scenario) { s.Arrivals[1].Clients = 3 }), []Rule{SYNQueueFull}},
		{"accept queue", three(func(s *scenario.Scenario) { s.Arrivals[0].Clients = 2 }), []Rule{SYNOverflow}},
		{"last quarter", three(func(s *scenario.Scenario) { s.Arrivals[1].Clients, s.Backlog, s.MaxSYNBacklog = 3, 5, 1 }), []Rule{SYNLastQuarter}},
		{"ghost", three(func(s *scenario.Scenario) { s.SYNCookies, s.Arrivals[1].Clients = 1, 3 }), []Rule{SYNCookie, CookieOverflow}},
		{"cookie", three(func(s *scenario.Scenario) { s.SYNCookies, s.Backlog = 2, 5 }), []Rule{SYNCookie, CookieAccepted}},
		{"refused", three(func(s *scenario.Scenario) { s.CloseListener = after(time.Second) }), []Rule{SYNRefused}},
		{"closed", three(func(s *scenario.Scenario) { s.CloseListener = after(1100 * time.Millisecond) }), []Rule{SYNAnswered, SegmentAfterClose}},
	} {
		t.Run(c.name, func(t *testing.T) {
			decisions, err := Explain(c.s, scenario.Modern)
			if err != nil {
				t.Fatal(err)
			}
			var got []Rule
			for _, d := range decisions {
				if d.Client == c.s.Arrivals.Clients()-1 {
					got = append(got, d.Rule)
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("rules for the last client:\n got %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestDecisionInWords(t *testing.T) {
	d := Decision{At: 150 * time.Millisecond, Client: 3, Segment: "ACK", Accept: 17, SYN: 2, Rule: SegmentReset}
	want := "150ms client 3 ACK: segment of a half-open connection: the accept queue is full, RST (tcp_check_req); accept queue 17, SYN queue 2"
	if d.String() != want {
		t.Errorf("in words:\n got %s\nwant %s", d, want)
	}
	if _, err := Explain(scenario.Scenario{}, scenario.Modern); err == nil || !strings.Contains(err.Error(), "want 1 to") {
		t.Errorf("a scenario without clients is explained, error is %v", err)
	}
}
