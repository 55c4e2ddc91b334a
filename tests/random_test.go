package tests

import (
	"math/rand/v2"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// randomScenario is any scenario of up to a few hundred clients that virtual time can
// play. Small numbers are likely, since rules meet at small numbers.
func randomScenario(r *rand.Rand) scenario.Scenario {
	s := scenario.Defaults()
	for range 1 + r.IntN(4) {
		s.Arrivals = append(s.Arrivals, scenario.Wave{Clients: 1 + small(r, 100), At: moment(r), Gap: oneOf(r, 0, 0, gap(r))})
	}
	s.RTT = oneOf(r, 0, 10*time.Millisecond, gridRTT, moment(r))
	s.Backlog = oneOf(r, small(r, 100), small(r, 10), -1)
	s.Somaxconn = oneOf(r, 4096, small(r, 100))
	s.AbortOnOverflow, s.IPv6 = r.IntN(2) == 0, r.IntN(2) == 0
	s.SYNCookies = r.IntN(3)
	s.MaxSYNBacklog = oneOf(r, 4096, small(r, 100))
	s.Accept = randomAccept(r)
	if r.IntN(2) == 0 {
		s.Write = new(oneOf(r, 0, moment(r)))
	}
	if r.IntN(4) == 0 {
		at := moment(r)
		s.ListenAgain = []scenario.Listen{{At: at, Backlog: small(r, 50)}, {At: at + moment(r), Backlog: small(r, 50)}}
	}
	if r.IntN(6) == 0 {
		at := moment(r)
		if n := len(s.ListenAgain); n > 0 {
			at += s.ListenAgain[n-1].At + 1
		}
		s.CloseListener = new(at)
	}
	if r.IntN(6) == 0 {
		s.SYNCookiesOff = new(moment(r))
	}
	return s
}

func randomAccept(r *rand.Rand) scenario.Accept {
	from := moment(r)
	return oneOf(r,
		scenario.Accept{Mode: scenario.AcceptNever},
		scenario.Accept{Mode: scenario.AcceptNow},
		scenario.Accept{Mode: scenario.AcceptEvery, Every: gap(r)},
		scenario.Accept{Mode: scenario.AcceptFrom, From: from},
		scenario.Accept{Mode: scenario.AcceptPaused, Paused: []scenario.Window{{From: from, To: from + gap(r)}, {From: from + time.Second, To: from + 2*time.Second}}},
	)
}

// moment is an instant of the first second, in whole milliseconds so that ties happen.
func moment(r *rand.Rand) time.Duration { return time.Duration(r.IntN(1000)) * time.Millisecond }

// gap is up to thirty milliseconds, and not zero.
func gap(r *rand.Rand) time.Duration { return time.Duration(1+r.IntN(30)) * time.Millisecond }

// small is from zero to most, half of the time at most a tenth of that.
func small(r *rand.Rand, most int) int { return r.IntN(oneOf(r, most, most/10) + 1) }

func oneOf[T any](r *rand.Rand, choices ...T) T { return choices[r.IntN(len(choices))] }
