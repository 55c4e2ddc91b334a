package tests

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/predict"
	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/rstlab/rstlab/netlab/wire"
)

var (
	seed   = flag.Uint64("seed", 0, "of the random scenarios; 0 takes a new one")
	random = flag.Int("random", 400, "how many random scenarios to play")
	drawn  = flag.Uint("grid", 0, "how many scenarios of the grid to play, drawn from all of it and each time the same; 0 plays all")
)

// TestExact plays a grid of scenarios on the real kernel. Not one fate and not one
// counter may differ from what predict says.
//
// It plays in virtual time, over TUN devices. Where this user can have none, it plays
// the bursts of the grid on a plain veth pair with a neighbour plug, and says so.
func TestExact(t *testing.T) {
	netlab.New(t) // where no lab can be had, says so once
	scenarios, text := draw(grid(), *drawn)
	e := exact{scenarios: scenarios}
	e.play(t)
	logCalibration(t)
	t.Logf("exact: %v%s in %v", &e, text, e.took.Round(time.Millisecond))
}

// draw takes n of the scenarios, the same ones each time, and says so. If n is 0 it takes
// all.
func draw(all []scenario.Scenario, n uint) (some []scenario.Scenario, text string) {
	if n == 0 || n >= uint(len(all)) {
		return all, ""
	}
	for _, i := range rand.New(rand.NewPCG(0, 0)).Perm(len(all))[:n] {
		some = append(some, all[i])
	}
	return some, fmt.Sprintf(" (drawn from %d)", len(all))
}

// What is drawn from the grid is part of it, nothing twice, and the same each time.
func TestDraw(t *testing.T) {
	var all []scenario.Scenario
	for backlog := range 100 {
		all = append(all, scenario.Scenario{Backlog: backlog})
	}
	some, text := draw(all, 30)
	again, _ := draw(all, 30)
	different := map[int]bool{}
	for _, s := range some {
		different[s.Backlog] = true
	}
	if len(different) != 30 || !reflect.DeepEqual(some, again) || text != " (drawn from 100)" {
		t.Errorf("drew %d different ones, want 30, said %q, and drew %v the next time", len(different), text, again)
	}
	for _, n := range []uint{0, 100, 1000} {
		if some, text := draw(all, n); len(some) != len(all) || text != "" {
			t.Errorf("drew %d for %d, said %q, want all and nothing to say", len(some), n, text)
		}
	}
}

// logCalibration prints what differs between kernels as it is here, in JSON.
func logCalibration(t *testing.T) {
	t.Helper()
	text, err := json.Marshal(newStand(t).Calibration)
	fatal(t, err)
	t.Logf("calibration: %s", text)
}

// TestExactRandom does the same with random scenarios. A failure is shrunk to a
// smallest scenario; -seed plays the same ones again.
func TestExactRandom(t *testing.T) {
	netlab.New(t)
	chosen := *seed
	if chosen == 0 {
		chosen = rand.Uint64()
	}
	r := rand.New(rand.NewPCG(chosen, 0))
	e := exact{}
	for range *random {
		e.scenarios = append(e.scenarios, randomScenario(r))
	}
	e.play(t)
	t.Logf("random: %v in %v; to play them again: go test ./tests -run '^TestExactRandom$' -args -seed %d", &e, e.took.Round(time.Millisecond), chosen)
}

// exact compares scenarios, several at a time.
type exact struct {
	scenarios                      []scenario.Scenario
	next, played, equal, different atomic.Int64
	took                           time.Duration
}

// String is the result: "1710 of 1710 scenarios equal".
func (e *exact) String() string {
	text := fmt.Sprintf("%d of %d scenarios equal", e.equal.Load(), e.played.Load())
	if left := len(e.scenarios) - int(e.played.Load()); left > 0 {
		text += fmt.Sprintf(" on veth with a neighbour plug; %d more need a TUN device and were not played: %v;", left, netlab.TUNAvailable())
	}
	return text
}

// play compares every scenario, on one stand a CPU.
func (e *exact) play(t *testing.T) {
	start := time.Now()
	t.Run("stands", func(t *testing.T) {
		for i := range runtime.GOMAXPROCS(0) {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				s := newStand(t)
				for n := e.next.Add(1); int(n) <= len(e.scenarios); n = e.next.Add(1) {
					e.compare(t, s, e.scenarios[n-1])
				}
			})
		}
	})
	e.took = time.Since(start)
	if e.played.Load() == 0 {
		t.Error("no scenario was played")
	}
}

// How many differences are told at length, and how many named; the rest is counted.
const (
	maxReports = 2
	maxNamed   = 10
)

// compare plays a scenario in both engines and reports any difference.
func (e *exact) compare(t *testing.T, st stand, s scenario.Scenario) {
	if !st.covers(s) {
		return
	}
	e.played.Add(1)
	if st.compare(s) == nil {
		e.equal.Add(1)
		return
	}
	switch n := e.different.Add(1); {
	case n <= maxReports:
		st.report(t, s)
	case n <= maxNamed:
		t.Errorf("one more differs: %v", s)
	default:
		t.Fail()
	}
}

// stand is a place where scenarios are played on the real kernel.
type stand struct {
	scenario.Calibration
	play   func(scenario.Scenario) (scenario.Outcome, error)
	covers func(scenario.Scenario) bool
	name   string
	wire   *wire.Wire // nil without a TUN device
}

func newStand(t *testing.T) stand {
	t.Helper()
	if netlab.TUNAvailable() != nil {
		p := wire.NewPlug(t)
		c, err := p.Calibrate()
		if err != nil {
			t.Fatal(err)
		}
		return stand{c, p.Play, p.Covers, "plug", nil}
	}
	return newVirtual(t)
}

// newVirtual is a stand in virtual time.
func newVirtual(t *testing.T) stand {
	t.Helper()
	needTUN(t)
	w := wire.New(t)
	c, err := w.Calibrate()
	if err != nil {
		t.Fatal(err)
	}
	return stand{c, w.Play, func(scenario.Scenario) bool { return true }, "virtual", w}
}

// compare is nil if both engines say the same.
func (st stand) compare(s scenario.Scenario) error {
	predicted, err := predict.Run(s, st.Calibration)
	if err != nil {
		return err
	}
	played, err := st.play(s)
	if err != nil {
		return err
	}
	if differences := scenario.Differences(s, predicted, played); differences != nil {
		return errors.New(scenario.DifferenceTable("predict", st.name, differences))
	}
	return nil
}

// needTUN skips a test that virtual time alone can play, where there is no lab or no
// TUN device. With CI set it fails: a skipped suite would pass unseen.
func needTUN(t *testing.T) {
	t.Helper()
	netlab.New(t)
	err := netlab.TUNAvailable()
	if err != nil && os.Getenv("CI") != "" {
		t.Fatalf("%v (the environment variable CI is set, so this is a failure and not a skip)", err)
	}
	if err != nil {
		t.Skip(err)
	}
}
