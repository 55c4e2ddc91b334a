package predict

import (
	"fmt"
	"sort"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// Advice is what would have to change for a scenario to lose nobody: no client is
// reset or refused, no SYN is dropped, and nobody is left kept or as a ghost. Each part
// turns one knob alone; nil means that this knob does not help.
type Advice struct {
	Backlog *Threshold `json:"smallest_backlog"` // of listen(2), with a somaxconn that allows it
	Gap     *Threshold `json:"smallest_gap"`     // between two clients of each wave, in steps of GapStep: from here on no larger one that was tried loses anybody
	Burst   *Threshold `json:"largest_burst"`    // clients that arrive at once, in place of all waves
}

// Threshold is where losing begins, with its proof.
type Threshold struct {
	At     Case  `json:"at"`     // nobody is lost
	Beyond *Case `json:"beyond"` // one step further, somebody is; nil if there is no such step
}

// Case is a scenario and its outcome.
type Case struct {
	Scenario scenario.Scenario `json:"scenario"`
	Outcome  scenario.Outcome  `json:"outcome"`
}

// GapStep is the unit of the advice about gaps.
const GapStep = time.Microsecond

// How far the search goes.
const (
	longestGap   = 10 * time.Second
	largestBurst = 1 << 20 // clients
)

// Lossless tells whether an outcome loses nobody.
func Lossless(o scenario.Outcome) bool {
	return o.Fates[scenario.Served]+o.Fates[scenario.Queued] == o.Fates.Total() && o.Server["ListenDrops"] == 0
}

// Advise computes the advice for a scenario: the smallest backlog, the smallest gap and
// the largest burst that lose nobody. That more backlog and fewer clients never lose more
// is taken for granted. A larger gap may lose more, if it moves clients into a pause: so
// gaps are tried from ten seconds down until one loses somebody. That each threshold is
// one is proven by its Beyond.
func Advise(s scenario.Scenario, c scenario.Calibration) (Advice, error) {
	if err := s.Validate(); err != nil {
		return Advice{}, err
	}
	a := adviser{calibration: c}
	advice := Advice{
		Backlog: a.smallest(s.Arrivals.Clients(), func(n int) scenario.Scenario { return withBacklog(s, n) }),
		Gap:     a.lowest(int(longestGap/GapStep), func(n int) scenario.Scenario { return withGap(s, time.Duration(n)*GapStep) }),
		Burst:   a.largest(largestBurst, func(n int) scenario.Scenario { return withBurst(s, n) }),
	}
	if a.err != nil {
		return Advice{}, a.err
	}
	return advice, nil
}

// adviser searches, and keeps the first error.
type adviser struct {
	calibration scenario.Calibration
	err         error
}

// smallest is the first n from zero on whose scenario loses nobody.
func (a *adviser) smallest(most int, at func(n int) scenario.Scenario) *Threshold {
	n := first(0, most, func(n int) bool { return a.lossless(at(n)) })
	switch {
	case n > most:
		return nil
	case n == 0:
		return &Threshold{At: a.play(at(0))}
	}
	return &Threshold{At: a.play(at(n)), Beyond: new(a.play(at(n - 1)))}
}

// lowest is the smallest n down to which none of those tried loses anybody. It goes down
// from most in steps that shrink with n, and then halves the last one.
func (a *adviser) lowest(most int, at func(n int) scenario.Scenario) *Threshold {
	if !a.lossless(at(most)) {
		return nil
	}
	n, lossy := most, -1
	for n > 0 && lossy < 0 && a.err == nil {
		if next := n - (n+3)/4; a.lossless(at(next)) {
			n = next
		} else {
			lossy = next
		}
	}
	n = lossy + 1 + sort.Search(n-lossy-1, func(i int) bool { return a.lossless(at(lossy + 1 + i)) })
	if n == 0 {
		return &Threshold{At: a.play(at(0))}
	}
	return &Threshold{At: a.play(at(n)), Beyond: new(a.play(at(n - 1)))}
}

// largest is the last n from one on whose scenario loses nobody.
func (a *adviser) largest(most int, at func(n int) scenario.Scenario) *Threshold {
	n := first(1, most, func(n int) bool { return !a.lossless(at(n)) })
	switch {
	case n == 1:
		return nil
	case n > most:
		return &Threshold{At: a.play(at(most))}
	}
	return &Threshold{At: a.play(at(n - 1)), Beyond: new(a.play(at(n)))}
}

// first is the smallest n from low to most for which is holds, and more than most if
// there is none. What holds for n is taken to hold for every larger one. It doubles its
// steps until is holds and then halves the rest, so that it asks about large n only
// where small ones don't tell.
func first(low, most int, is func(n int) bool) int {
	before, n := low-1, low
	for step := 1; !is(n); step *= 2 {
		if n == most {
			return most + 1
		}
		before, n = n, min(n+step, most)
	}
	return before + 1 + sort.Search(n-before-1, func(i int) bool { return is(before + 1 + i) })
}

func (a *adviser) lossless(s scenario.Scenario) bool { return Lossless(a.play(s).Outcome) }

func (a *adviser) play(s scenario.Scenario) Case {
	o, err := Run(s, a.calibration)
	if a.err == nil && err != nil {
		a.err = fmt.Errorf("advise: %w", err)
	}
	return Case{s, o}
}

// withBacklog has another backlog, and a somaxconn that does not cap it.
func withBacklog(s scenario.Scenario, backlog int) scenario.Scenario {
	s.Backlog, s.Somaxconn = backlog, max(s.Somaxconn, backlog)
	return s
}

// withGap has another gap in each of its waves. A horizon moves with the arrivals.
func withGap(s scenario.Scenario, gap time.Duration) scenario.Scenario {
	waves := make(scenario.Arrivals, len(s.Arrivals))
	for i, w := range s.Arrivals {
		waves[i] = scenario.Wave{Clients: w.Clients, At: w.At, Gap: gap}
	}
	return withArrivals(s, waves)
}

// withBurst has all its clients arrive at once, when the first one does.
func withBurst(s scenario.Scenario, clients int) scenario.Scenario {
	first := s.Arrivals[0].At
	for _, w := range s.Arrivals {
		first = min(first, w.At)
	}
	return withArrivals(s, scenario.Arrivals{{Clients: clients, At: first}})
}

func withArrivals(s scenario.Scenario, waves scenario.Arrivals) scenario.Scenario {
	later := waves.Last() - s.Arrivals.Last()
	s.Arrivals = waves
	if s.Horizon > 0 {
		s.Horizon = max(s.Horizon+later, s.Settled())
	}
	return s
}
