package tests

import (
	"testing"

	"github.com/rstlab/rstlab/netlab/predict"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// TestExactKnobs turns one knob of a scenario and holds the kernel's two outcomes
// against each other, client by client; predict is not asked.
func TestExactKnobs(t *testing.T) {
	st := newVirtual(t)
	// 16 of the 17 places are taken. Of 150 SYNs the SYN queue admits 17, and one ACK
	// of theirs finds room.
	full := func(k knobs, backlog int) scenario.Scenario {
		return k.scenario(backlog, scenario.Wave{Clients: 16}, scenario.Wave{Clients: 150, At: secondWave})
	}
	play := func(t *testing.T, s scenario.Scenario) scenario.Outcome {
		t.Helper()
		o, err := st.play(s)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	turned := func(t *testing.T, before, after scenario.Outcome, from, to scenario.Fate, want int) {
		t.Helper()
		n := 0
		for i, fate := range before.ByClient {
			switch {
			case fate == from && after.ByClient[i] == to:
				n++
			case fate != after.ByClient[i]:
				t.Errorf("client %d turned from %v to %v", i, fate, after.ByClient[i])
			}
		}
		if n != want {
			t.Errorf("%d clients turned from %v to %v, want %d", n, from, to, want)
		}
	}
	t.Run("abort=1to0", func(t *testing.T) {
		on, off := play(t, full(knobs{abort: true}, 16)), play(t, full(knobs{}, 16))
		turned(t, on, off, scenario.Reset, scenario.Kept, 16)
	})
	t.Run("cookies=0to1", func(t *testing.T) {
		off, on := play(t, full(knobs{abort: true}, 16)), play(t, full(knobs{cookies: 1, abort: true}, 16))
		turned(t, off, on, scenario.SYNDropped, scenario.Ghost, 133)
	})
	t.Run("cookies=1to2", func(t *testing.T) {
		some, always := play(t, full(knobs{cookies: 1, abort: true}, 16)), play(t, full(knobs{cookies: 2, abort: true}, 16))
		turned(t, some, always, scenario.Reset, scenario.Ghost, 16)
	})
	t.Run("backlog=165to164", func(t *testing.T) {
		fits, less := play(t, full(knobs{abort: true}, 165)), play(t, full(knobs{abort: true}, 164))
		turned(t, fits, less, scenario.Queued, scenario.Reset, 1)
		if less.ByClient[165] != scenario.Reset {
			t.Errorf("the last client's fate is %v, want reset", less.ByClient[165])
		}
	})
}

// TestExactAdvice plays what predict advises, and one step beyond.
func TestExactAdvice(t *testing.T) {
	st := newVirtual(t)
	burst := knobs{cookies: 1, abort: true}.scenario(64, scenario.Wave{Clients: 400})
	burst.Accept = scenario.Accept{Mode: scenario.AcceptEvery, Every: 20e6}
	waves := knobs{abort: true}.scenario(16, scenario.Wave{Clients: 17}, scenario.Wave{Clients: 60, At: secondWave})
	waves.Accept = scenario.Accept{Mode: scenario.AcceptFrom, From: 2 * secondWave}
	for name, s := range map[string]scenario.Scenario{"burst": burst, "waves": waves} {
		t.Run(name, func(t *testing.T) {
			advice, err := predict.Advise(s, st.Calibration)
			if err != nil {
				t.Fatal(err)
			}
			for knob, threshold := range map[string]*predict.Threshold{"backlog": advice.Backlog, "gap": advice.Gap, "burst": advice.Burst} {
				if threshold == nil || threshold.Beyond == nil {
					t.Errorf("%s: there is no threshold, want one with a step beyond", knob)
					continue
				}
				for _, c := range []predict.Case{threshold.At, *threshold.Beyond} {
					if err := st.compare(c.Scenario); err != nil {
						t.Errorf("%s: %v\n%v", knob, c.Scenario, err)
					}
				}
				if !predict.Lossless(threshold.At.Outcome) || predict.Lossless(threshold.Beyond.Outcome) {
					t.Errorf("%s: at the threshold %v, beyond it %v", knob, threshold.At.Outcome.Fates, threshold.Beyond.Outcome.Fates)
				}
			}
		})
	}
}
