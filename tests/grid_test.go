package tests

import (
	"slices"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// grid is the scenarios of the exact suite: every dimension of a scenario, varied
// around the values at which the kernel changes its mind.
func grid() []scenario.Scenario {
	return slices.Concat(twoWaves(), shrinks(), paced(), accepting(), synBacklogs(), closings(), large())
}

const (
	gridRTT    = 100 * time.Millisecond
	secondWave = 500 * time.Millisecond
)

// knobs is a scenario's sysctls and family, each combination of which a family of the
// grid goes through.
type knobs struct {
	cookies int
	abort   bool
	ipv6    bool
}

// allKnobs are the combinations with these values of tcp_syncookies.
func allKnobs(cookies ...int) []knobs {
	var all []knobs
	for _, ck := range cookies {
		for _, abort := range []bool{false, true} {
			for _, ipv6 := range []bool{false, true} {
				all = append(all, knobs{ck, abort, ipv6})
			}
		}
	}
	return all
}

func (k knobs) scenario(backlog int, waves ...scenario.Wave) scenario.Scenario {
	s := scenario.Defaults()
	s.RTT, s.Backlog, s.SYNCookies, s.AbortOnOverflow, s.IPv6 = gridRTT, backlog, k.cookies, k.abort, k.ipv6
	s.Arrivals = slices.DeleteFunc(waves, func(w scenario.Wave) bool { return w.Clients == 0 })
	s.Accept.Mode = scenario.AcceptNever
	return s
}

// twoWaves fill the accept queue with the first wave and meet it with the second,
// around the point at which it is full.
func twoWaves() []scenario.Scenario {
	var all []scenario.Scenario
	for _, k := range allKnobs(0, 1, 2) {
		for _, backlog := range []int{0, 1, 16, 64} {
			for _, first := range []int{0, backlog, backlog + 1, backlog + 2} {
				for _, second := range []int{1, backlog + 1, 150} {
					all = append(all, k.scenario(backlog, scenario.Wave{Clients: first}, scenario.Wave{Clients: second, At: secondWave}))
				}
			}
		}
	}
	return all
}

// shrinks listen again with a smaller backlog while the handshakes of a burst are
// under way, and once more with a larger one after that.
func shrinks() []scenario.Scenario {
	var all []scenario.Scenario
	for _, k := range allKnobs(0, 1) {
		for _, n := range []int{2, 17, 129} {
			for _, backlog := range []int{0, 1, n - 2, n - 1, n} {
				s := k.scenario(4095, scenario.Wave{Clients: n}, scenario.Wave{Clients: 3, At: secondWave})
				s.ListenAgain = []scenario.Listen{{At: 70 * time.Millisecond, Backlog: backlog}, {At: 300 * time.Millisecond, Backlog: -1}}
				s.Somaxconn = 4096 - n%2
				all = append(all, s)
			}
		}
	}
	return all
}

// paced clients come one by one, and nobody accepts.
func paced() []scenario.Scenario {
	var all []scenario.Scenario
	for _, k := range allKnobs(0, 1) {
		for _, backlog := range []int{0, 16, 40} {
			for _, gap := range []time.Duration{time.Millisecond, 5 * time.Millisecond, 20 * time.Millisecond} {
				for _, rtt := range []time.Duration{0, 10 * time.Millisecond, gridRTT} {
					s := k.scenario(backlog, scenario.Wave{Clients: 80, Gap: gap})
					s.RTT = rtt
					all = append(all, s)
				}
			}
		}
	}
	return all
}

// accepting servers meet a burst and a pace: at once, slowly, late, with pauses; the
// clients write at once, later or never.
func accepting() []scenario.Scenario {
	var all []scenario.Scenario
	for i, k := range allKnobs(0, 1, 2) {
		for _, accept := range []scenario.Accept{
			{Mode: scenario.AcceptNow},
			{Mode: scenario.AcceptEvery, Every: 7 * time.Millisecond},
			{Mode: scenario.AcceptEvery, Every: 20 * time.Millisecond},
			{Mode: scenario.AcceptFrom, From: 560 * time.Millisecond},
			{Mode: scenario.AcceptPaused, Paused: []scenario.Window{{From: 0, To: 100 * time.Millisecond}, {From: 200 * time.Millisecond, To: 700 * time.Millisecond}}},
		} {
			for _, write := range []*time.Duration{nil, new(time.Duration(0)), new(30 * time.Millisecond), new(2 * time.Second)} {
				for _, waves := range [][]scenario.Wave{
					{{Clients: 30}, {Clients: 30, At: secondWave}},
					{{Clients: 60, Gap: 10 * time.Millisecond}, {Clients: 5, At: 400 * time.Millisecond}},
				} {
					s := k.scenario(8+i, waves...)
					s.Accept, s.Write = accept, write
					all = append(all, s)
				}
			}
		}
	}
	return all
}

// synBacklogs are about the last quarter of tcp_max_syn_backlog, which matters without
// SYN cookies.
func synBacklogs() []scenario.Scenario {
	var all []scenario.Scenario
	for _, k := range allKnobs(0) {
		for _, most := range []int{0, 1, 2, 3, 4, 5, 7, 8, 16, 63, 64, 128} {
			for _, backlog := range []int{5, 64} {
				s := k.scenario(backlog, scenario.Wave{Clients: backlog / 2}, scenario.Wave{Clients: 100, At: secondWave})
				s.MaxSYNBacklog = most
				all = append(all, s)
			}
		}
	}
	return all
}

// closings close the listener at every stage of two waves: before the first SYN,
// between SYN and ACK, with connections queued, kept and overflowing.
func closings() []scenario.Scenario {
	var all []scenario.Scenario
	for _, k := range allKnobs(0, 1, 2) {
		for _, at := range []time.Duration{0, 60 * time.Millisecond, 200 * time.Millisecond, 560 * time.Millisecond, 650 * time.Millisecond, time.Second} {
			for _, write := range []*time.Duration{nil, new(time.Duration(0)), new(700 * time.Millisecond)} {
				s := k.scenario(16, scenario.Wave{Clients: 10}, scenario.Wave{Clients: 40, At: secondWave})
				s.CloseListener, s.Write = new(at), write
				all = append(all, s)
			}
		}
	}
	return all
}

// large scenarios are few: thousands of clients, and up to 4000 resets.
func large() []scenario.Scenario {
	k := knobs{cookies: 1, abort: true}
	shrink := k.scenario(4095, scenario.Wave{Clients: 4001})
	shrink.ListenAgain = []scenario.Listen{{At: 70 * time.Millisecond, Backlog: 0}}
	story := k.scenario(64, scenario.Wave{Clients: 2000, Gap: 20 * time.Millisecond})
	story.Accept = scenario.Accept{Mode: scenario.AcceptEvery, Every: 10 * time.Millisecond}
	slow := story
	slow.Accept.Every = 25 * time.Millisecond
	ghosts := knobs{cookies: 1, ipv6: true}.scenario(64, scenario.Wave{Clients: 64}, scenario.Wave{Clients: 800, At: secondWave})
	return []scenario.Scenario{
		shrink, story, slow, ghosts,
		k.scenario(128, scenario.Wave{Clients: 128}, scenario.Wave{Clients: 2000, At: secondWave}),
		knobs{abort: true}.scenario(400, scenario.Wave{Clients: 400}, scenario.Wave{Clients: 400, At: secondWave}),
	}
}
