package wire

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/predict"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// compare plays a scenario and holds the outcome against what predict says.
func compare(t *testing.T, play func(scenario.Scenario) (scenario.Outcome, error), s scenario.Scenario, c scenario.Calibration) scenario.Outcome {
	t.Helper()
	got, err := play(s)
	must(t, err)
	want, err := predict.Run(s, c)
	must(t, err)
	if d := scenario.Differences(s, want, got); d != nil {
		t.Errorf("%v\n%s", s, scenario.DifferenceTable("predict", "played", d))
	}
	return got
}

// waves are two bursts and a pace between them, which overfill a queue of 17.
func waves() scenario.Scenario {
	s := scenario.Defaults()
	s.Arrivals = scenario.Arrivals{{Clients: 20}, {Clients: 50, At: 500 * time.Millisecond, Gap: time.Millisecond}, {Clients: 3, At: time.Second}}
	s.RTT, s.Backlog = rtt, 16
	s.Accept.Mode = scenario.AcceptNever
	return s
}

// The large comparison is tests.TestExact; this one is to fail first, and near the
// mistake.
func TestPlayIsAsPredicted(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	c, err := w.Calibrate()
	must(t, err)
	for name, change := range map[string]func(*scenario.Scenario){
		"nobody is accepted": func(*scenario.Scenario) {},
		"accepted at once":   func(s *scenario.Scenario) { s.Accept.Mode = scenario.AcceptNow },
		"accepted in turn": func(s *scenario.Scenario) {
			s.Accept = scenario.Accept{Mode: scenario.AcceptEvery, Every: 3 * time.Millisecond}
		},
		"accepted late": func(s *scenario.Scenario) {
			s.Accept = scenario.Accept{Mode: scenario.AcceptFrom, From: 620 * time.Millisecond}
		},
		"accepted with a pause": func(s *scenario.Scenario) {
			s.Accept = scenario.Accept{Mode: scenario.AcceptPaused, Paused: []scenario.Window{{From: 600 * time.Millisecond, To: time.Minute}}}
		},
		"clients write at once": func(s *scenario.Scenario) { s.Write = new(time.Duration(0)) },
		"clients write":         func(s *scenario.Scenario) { s.Write = new(30 * time.Millisecond) },
		"the listener closes":   func(s *scenario.Scenario) { s.CloseListener = new(600 * time.Millisecond) },
		"SYN cookies end": func(s *scenario.Scenario) {
			s.SYNCookiesOff, s.Write = new(620*time.Millisecond), new(90*time.Millisecond)
		},
		"listen again": func(s *scenario.Scenario) {
			s.ListenAgain = []scenario.Listen{{At: 580 * time.Millisecond, Backlog: 30}, {At: 620 * time.Millisecond, Backlog: 2}}
		},
		"no latency": func(s *scenario.Scenario) { s.RTT = 0 },
		"IPv6":       func(s *scenario.Scenario) { s.IPv6 = true },
	} {
		for _, cookies := range []int{0, 1, 2} {
			for _, abort := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s,cookies=%d,abort=%v", name, cookies, abort), func(t *testing.T) {
					s := waves()
					s.SYNCookies, s.AbortOnOverflow = cookies, abort
					change(&s)
					compare(t, w.Play, s, c)
				})
			}
		}
	}
}

func TestPlayOverIPv6(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	for version, ipv6 := range map[byte]bool{4: false, 6: true} {
		s := waves()
		s.IPv6 = ipv6
		_, err := w.Play(s)
		must(t, err)
		for _, p := range w.Packets() {
			if p.Data[0]>>4 != version {
				t.Errorf("with IPv6 %v a packet is of version %d: %v", ipv6, p.Data[0]>>4, p)
			}
		}
		syn, _ := w.Packets()[0].Segment()
		if want := map[bool]string{false: w.Server.Addr(), true: w.Server.Addr6()}[ipv6]; syn.Target.Addr().String() != want {
			t.Errorf("with IPv6 %v the first SYN goes to %v, want %s", ipv6, syn.Target, want)
		}
	}
}

func TestPlayRefuses(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	for want, change := range map[string]func(*scenario.Scenario){
		"number of clients in arrivals is 9001, want at most 9000 in virtual time, each with descriptors of its own": func(s *scenario.Scenario) {
			s.Arrivals = scenario.Arrivals{{Clients: 9000}, {Clients: 1}}
		},
		"number of clients in arrivals is 0, want 1 to 100000000": func(s *scenario.Scenario) { s.Arrivals = nil },
		"rtt is -1ns, want zero or more":                          func(s *scenario.Scenario) { s.RTT = -1 },
	} {
		s := waves()
		change(&s)
		if o, err := w.Play(s); err == nil || err.Error() != want || !reflect.DeepEqual(o, scenario.Outcome{}) {
			t.Errorf("Play = %v, %v\nwant no outcome and %s", o, err, want)
		}
	}
	if w.hosts.port != firstPort || len(w.Packets()) != 0 {
		t.Errorf("a refused scenario was begun: port %d, %d packets", w.hosts.port, len(w.Packets()))
	}
}

// Rules and events of one play are no part of the next.
func TestPlayTwice(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	s := waves()
	s.Accept = scenario.Accept{Mode: scenario.AcceptEvery, Every: 30 * time.Millisecond}
	s.AbortOnOverflow, s.Write = true, new(30*time.Millisecond)
	first, err := w.Play(s)
	must(t, err)
	journeys := travels(w)
	w.Drop(everything)
	w.At(0, func() error { t.Error("what was scheduled before a play happened in it"); return nil })
	second, err := w.Play(s)
	must(t, err)
	if !reflect.DeepEqual(first, second) {
		t.Errorf("the same scenario came out as %+v and then as %+v", first, second)
	}
	if again := travels(w); again != journeys {
		t.Errorf("the packets went\n%sand then\n%s", journeys, again)
	}
}

// A play that fails says in which scenario. The next one does not feel it.
func TestPlayAfterAFailedPlay(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	s := scenario.Defaults()
	s.Arrivals, s.Backlog, s.Accept.Mode = scenario.Arrivals{{Clients: 4, Gap: time.Second}}, 4, scenario.AcceptNow
	w.Client.Sysctl("net.ipv4.ip_local_port_range", "40000 40001")
	_, err := w.Play(s)
	want := fmt.Sprintf("virtual: client 2: connect: cannot assign requested address, want that it is in progress\nin %v", s)
	if err == nil || err.Error() != want {
		t.Errorf("Play with two ports for four clients: %v\nwant %s", err, want)
	}
	checkNothingLeft(t, w)
	w.Client.Sysctl("net.ipv4.ip_local_port_range", "40000 40003")
	o, err := w.Play(s)
	if err != nil || o.Fates[scenario.Served] != 4 {
		t.Errorf("the next play: %v, %v; want four clients served", o.Fates, err)
	}
}

func TestPlayLeavesNothing(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	for name, change := range map[string]func(*scenario.Scenario){
		"queued and reset": func(s *scenario.Scenario) { s.AbortOnOverflow = true },
		"served and ghost": func(s *scenario.Scenario) { s.SYNCookies, s.Accept.Mode = 2, scenario.AcceptNow },
		"refused":          func(s *scenario.Scenario) { s.CloseListener = new(time.Duration(0)) },
		"SYNs dropped":     func(s *scenario.Scenario) { s.Backlog, s.SYNCookies, s.AbortOnOverflow = 0, 0, true },
		"cut short": func(s *scenario.Scenario) { // while the second of two waits
			s.Arrivals, s.RTT, s.Horizon = scenario.Arrivals{{Clients: 2}}, time.Millisecond, 500*time.Millisecond
			s.Accept = scenario.Accept{Mode: scenario.AcceptEvery, Every: time.Hour}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := waves()
			change(&s)
			_, err := w.Play(s)
			must(t, err)
			checkNothingLeft(t, w)
		})
	}
}

// checkNothingLeft looks at what a play may leave: sockets, events and packets.
func checkNothingLeft(t *testing.T, w *Wire) {
	t.Helper()
	port := w.hosts.port
	if queues, open, half := w.Server.AcceptQueues(), w.Server.Connections(port), w.Server.SYNQueue(port); len(queues)+len(open)+len(half) != 0 {
		t.Errorf("the server has listeners %v, connections %v and half-open ones %v, want none", queues, open, half)
	}
	for _, h := range []*netlab.Host{w.Client, w.Server} {
		if left := tcpSockets(t, h); len(left) != 0 {
			t.Errorf("host %s has sockets left: %q", h.Name(), left)
		}
	}
	sent, now := len(w.packets), w.Now()
	must(t, w.Run())
	if len(w.packets) != sent || w.Now() != now {
		t.Errorf("after the play %d packets and %v more passed", len(w.packets)-sent, w.Now()-now)
	}
}

// tcpSockets are the lines of a host's /proc/net/tcp and tcp6 below their headings.
func tcpSockets(t *testing.T, h *netlab.Host) (left []string) {
	t.Helper()
	for _, name := range []string{"tcp", "tcp6"} {
		var text []byte
		must(t, h.Do(func() (err error) {
			text, err = os.ReadFile("/proc/thread-self/net/" + name)
			return err
		}))
		left = append(left, strings.Split(strings.TrimSpace(string(text)), "\n")[1:]...)
	}
	return left
}
