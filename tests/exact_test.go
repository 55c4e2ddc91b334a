package tests

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/predict"
	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/rstlab/rstlab/netlab/wire"
)

// TestExact plays a grid of scenarios on the real kernel in virtual time. Not one fate
// and not one counter may differ from what predict says.
func TestExact(t *testing.T) {
	netlab.New(t) // where no lab can be had, says so once
	if err := netlab.TUNAvailable(); err != nil {
		t.Skip(err)
	}
	var e exact
	e.play(t, grid())
	t.Logf("exact: %d of %d scenarios equal, in %v", e.equal.Load(), len(grid()), e.took.Round(time.Millisecond))
}

// exact compares scenarios, several at a time.
type exact struct {
	next, equal, failed atomic.Int64
	took                time.Duration
}

// play compares every scenario, with one wire a CPU.
func (e *exact) play(t *testing.T, all []scenario.Scenario) {
	start := time.Now()
	t.Run("wires", func(t *testing.T) {
		for i := range runtime.GOMAXPROCS(0) {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				w := newWire(t)
				for n := e.next.Add(1) - 1; int(n) < len(all); n = e.next.Add(1) - 1 {
					e.compare(t, w, all[n])
				}
			})
		}
	})
	e.took = time.Since(start)
}

// calibrated is a wire whose kernel was measured.
type calibrated struct {
	*wire.Wire
	scenario.Calibration
}

func newWire(t *testing.T) calibrated {
	t.Helper()
	w := wire.New(t)
	c, err := w.Calibrate()
	if err != nil {
		t.Fatal(err)
	}
	return calibrated{w, c}
}

// compare plays a scenario in both engines and reports any difference.
func (e *exact) compare(t *testing.T, w calibrated, s scenario.Scenario) {
	t.Helper()
	differences, err := w.differences(s)
	if err == nil && differences == nil {
		e.equal.Add(1)
		return
	}
	if e.failed.Add(1) > 3 {
		t.Errorf("and another: %s", describe(s))
		return
	}
	t.Errorf("%v\n%s%v", err, scenario.DifferenceTable("predict", "virtual", differences), s)
}

func (w calibrated) differences(s scenario.Scenario) ([]scenario.Difference, error) {
	predicted, err := predict.Run(s, w.Calibration)
	if err != nil {
		return nil, err
	}
	played, err := w.Play(s)
	if err != nil {
		return nil, err
	}
	return scenario.Differences(predicted, played), nil
}
