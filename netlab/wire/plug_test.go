package wire

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// bursts are two bursts that the plug covers: a queue of 17 that holds ten.
func bursts() scenario.Scenario {
	s := scenario.Defaults()
	s.Arrivals = scenario.Arrivals{{Clients: 10}, {Clients: 40, At: 500 * time.Millisecond}}
	s.RTT, s.Backlog = rtt, 16
	s.Accept.Mode = scenario.AcceptNever
	return s
}

func TestPlugCovers(t *testing.T) {
	p := &Plug{}
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	for _, c := range []struct {
		name   string
		change func(*scenario.Scenario)
		want   bool
	}{
		{"two bursts", func(*scenario.Scenario) {}, true},
		{"IPv6, abort and cookies", func(s *scenario.Scenario) { s.IPv6, s.AbortOnOverflow, s.SYNCookies = true, true, 2 }, true},
		{"two round trips apart", func(s *scenario.Scenario) { s.Arrivals[1].At = 2 * rtt }, true},
		{"too close together", func(s *scenario.Scenario) { s.Arrivals[1].At = 2*rtt - 1 }, false},
		{"in the wrong order", func(s *scenario.Scenario) { s.Arrivals[0].At = time.Second }, false},
		{"the largest burst", func(s *scenario.Scenario) { s.Arrivals[1].Clients = 900 }, true},
		{"too large a burst", func(s *scenario.Scenario) { s.Arrivals[1].Clients = 901 }, false},
		{"a pace", func(s *scenario.Scenario) { s.Arrivals[1].Gap = 1 }, false},
		{"the pace of one client", func(s *scenario.Scenario) { s.Arrivals = scenario.Arrivals{{Clients: 1, Gap: 1}} }, true},
		{"no latency", func(s *scenario.Scenario) { s.RTT = 0 }, false},
		{"a server that accepts", func(s *scenario.Scenario) { s.Accept.Mode = scenario.AcceptNow }, false},
		{"clients that write", func(s *scenario.Scenario) { s.Write = new(rtt) }, false},
		{"a listener that closes", func(s *scenario.Scenario) { s.CloseListener = new(rtt) }, false},
		{"cookies that end", func(s *scenario.Scenario) { s.SYNCookiesOff = new(rtt) }, false},
		{"kernel timers", func(s *scenario.Scenario) { s.Horizon = time.Second }, false},
		{"invalid", func(s *scenario.Scenario) { s.SYNCookies = 3 }, false},
		{"listen again between SYNs and ACKs", listensAt(ms(551), ms(649)), true},
		{"listen again with the SYNs", listensAt(ms(550)), false},
		{"listen again with the ACKs", listensAt(ms(551), ms(650)), false},
		{"listen again between the bursts", listensAt(ms(300)), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := bursts()
			c.change(&s)
			if got := p.Covers(s); got != c.want {
				t.Errorf("Covers(%v) = %v, want %v", s, got, c.want)
			}
		})
	}
}

// listensAt adds calls of listen(2).
func listensAt(times ...time.Duration) func(*scenario.Scenario) {
	return func(s *scenario.Scenario) {
		for _, at := range times {
			s.ListenAgain = append(s.ListenAgain, scenario.Listen{At: at, Backlog: 3})
		}
	}
}

func TestPlugRefuses(t *testing.T) {
	p := &Plug{} // has no hosts to begin with
	s := bursts()
	s.Accept.Mode = scenario.AcceptNow
	_, err := p.Play(s)
	want := fmt.Sprintf("the neighbour plug can play bursts only, whose clients never write, against a server that never accepts: it cannot play %v", s)
	if err == nil || err.Error() != want {
		t.Errorf("Play = %v, want %s", err, want)
	}
	s.SYNCookies = 3
	if _, err := p.Play(s); err == nil || err.Error() != "syncookies is 3, want 0 to 2" {
		t.Errorf("Play = %v, want that syncookies is 3", err)
	}
}

func TestPlugIsAsPredicted(t *testing.T) {
	t.Parallel()
	p := NewPlug(t)
	c, err := p.Calibrate()
	must(t, err)
	for _, cookies := range []int{0, 1, 2} {
		for _, abort := range []bool{false, true} {
			for _, second := range []int{1, 17, 18, 150, 800} {
				s := bursts()
				s.SYNCookies, s.AbortOnOverflow, s.IPv6 = cookies, abort, second%2 == 0
				s.Arrivals[1].Clients = second
				compare(t, p.Play, s, c)
				listensAt(560*time.Millisecond, 600*time.Millisecond)(&s)
				compare(t, p.Play, s, c)
			}
		}
	}
}

// Both ways to measure the kernel come to the same.
func TestCalibrate(t *testing.T) {
	t.Parallel()
	w, p := newWire(t), NewPlug(t)
	onWire, err := w.Calibrate()
	must(t, err)
	onVeth, err := p.Calibrate()
	must(t, err)
	if onWire != onVeth {
		t.Errorf("calibration is %+v on the wire and %+v on veth", onWire, onVeth)
	}
}

// While the plug holds, clients hear nothing and the server keeps their requests.
// Released, both handshakes complete, and the next client's at once; held again, the
// next one waits as the first did.
func TestPlugHoldsAndReleases(t *testing.T) {
	for _, ipv6 := range []bool{false, true} {
		t.Run(fmt.Sprintf("ipv6=%v", ipv6), func(t *testing.T) {
			t.Parallel()
			p := NewPlug(t)
			all := open(t, &p.hosts, 4, ipv6)
			before := p.Server.Counters()
			expect := func(segments int, want string, half, queued int) {
				t.Helper()
				must(t, awaitSegments(p.Server, before, segments))
				if got := states(t, all, len(strings.Fields(want))); got != want {
					t.Errorf("after %d segments clients are %s, want %s", segments, got, want)
				}
				if got := p.Server.SYNQueue(p.hosts.port); len(got) != half {
					t.Errorf("after %d segments the SYN queue holds %v, want %d", segments, got, half)
				}
				if got := p.Server.AcceptQueue(p.hosts.port).Length; got != uint32(queued) {
					t.Errorf("after %d segments %d connections wait, want %d", segments, got, queued)
				}
			}
			must(t, all.connect(0))
			must(t, all.connect(1))
			expect(2, "syn_dropped syn_dropped", 2, 0)
			must(t, p.Release(ipv6))
			expect(4, "undecided undecided", 0, 2)
			must(t, all.connect(2))
			expect(6, "undecided undecided undecided", 0, 3)
			must(t, p.Hold(ipv6))
			must(t, p.Hold(ipv6)) // changes nothing
			must(t, all.connect(3))
			expect(7, "undecided undecided undecided syn_dropped", 1, 3)
		})
	}
}
