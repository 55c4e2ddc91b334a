package tests

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rstlab/rstlab/netlab/diagnose"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// cause is one row of the suite: how to make it happen, and what must come of it.
type cause struct {
	number int
	cause  diagnose.Cause
	flows  int    // that fail by it; asCounted: as many as the client's kernel has counted resets
	errno  string // what each of their clients is told; empty: nothing
	stage  func(*testing.T) staged
}

// asCounted is for a cause that takes some of the connections, which the kernel's hash
// chooses.
const asCounted = -1

// TestCauses makes each cause happen on purpose and names it from the evidence alone:
// the right cause, for the right number of flows, with certainty, and with every counter
// accounted for. From the packets alone the cause must be among the candidates, and
// nothing may be certain that is not so.
func TestCauses(t *testing.T) {
	needTUN(t)
	var named atomic.Int64
	all := slices.Concat(playedCauses(), stagedCauses(), firewallCauses())
	t.Run("machine", func(t *testing.T) {
		for _, c := range machineCauses() {
			t.Run(string(c.cause), func(t *testing.T) {
				needWholeMachine(t)
				if c.check(t, c.stage(t).Evidence) {
					named.Add(1)
				}
			})
		}
	})
	t.Run("rows", func(t *testing.T) {
		for _, c := range all {
			t.Run(string(c.cause), func(t *testing.T) {
				t.Parallel()
				if c.check(t, c.stage(t).Evidence) {
					named.Add(1)
				}
			})
		}
	})
	told := new(atomic.Int64)
	t.Run("pairs", func(t *testing.T) { playPairs(t, told) })
	if *wholeMachine {
		all = append(all, machineCauses()...)
	} else {
		for _, c := range machineCauses() {
			t.Logf("row %d is not run: %s needs a machine of its own, since it changes what all namespaces share; see -whole-machine", c.number, c.cause)
		}
	}
	t.Logf("causes: %d of %d named, %d of %d look-alike pairs, books balanced", named.Load(), len(all), told.Load(), len(lookAlikes()))
}

// check holds the diagnosis against the truth.
func (c cause) check(t *testing.T, e scenario.Evidence) bool {
	t.Helper()
	report := diagnose.Run(e)
	if c.flows == asCounted {
		c.flows = int(e.Hosts[0].Moved()["EstabResets"])
	}
	found := 0
	for _, f := range report.Flows {
		switch {
		case f.Cause == c.cause && f.Grade == diagnose.Certain:
			found++
		case f.Cause != diagnose.Healthy:
			t.Errorf("flow %s is diagnosed as %s (%s), want %s or healthy\n%s", f.Name, f.Cause, f.Grade, c.cause, explain(f))
		}
	}
	if found != c.flows || found == 0 {
		t.Errorf("%d flows are diagnosed as %s with certainty, want %d\n%s", found, c.cause, c.flows, overview(report))
	}
	for _, entry := range report.Summary.Books {
		if entry.Unexplained != 0 {
			t.Errorf("%s at the %s moved by %d, explained are %v", entry.Counter, entry.Host, entry.Moved, entry.Explained)
		}
	}
	c.checkErrors(t, e.Clients)
	c.checkPacketsAlone(t, e, report)
	return !t.Failed()
}

func (c cause) checkErrors(t *testing.T, clients []scenario.ClientError) {
	t.Helper()
	told := 0
	for _, e := range clients {
		if e.Errno == c.errno && c.errno != "" {
			told++
		}
	}
	if c.errno != "" && told != c.flows {
		t.Errorf("%d clients were told %s, want %d: %v", told, c.errno, c.flows, clients)
	}
}

// checkPacketsAlone takes everything but the packets away.
func (c cause) checkPacketsAlone(t *testing.T, e scenario.Evidence, full diagnose.Report) {
	t.Helper()
	bare := scenario.Evidence{}
	for _, h := range e.Hosts {
		bare.Hosts = append(bare.Hosts, scenario.Witnessed{Host: h.Host, Addrs: h.Addrs, Packets: h.Packets})
	}
	for i, f := range diagnose.Run(bare).Flows {
		truth := full.Flows[i].Cause
		if !slices.Contains(f.Candidates, truth) {
			t.Errorf("from packets alone: flow %s is %v, the truth is %s\n%s", f.Name, f.Candidates, truth, explain(f))
		}
		if f.Grade == diagnose.Certain && f.Cause != truth {
			t.Errorf("from packets alone: flow %s is certainly %s, the truth is %s", f.Name, f.Cause, truth)
		}
	}
}

// explain tells a flow's diagnosis in lines.
func explain(f diagnose.Flow) string {
	lines := []string{"  " + f.Shape, "  candidates " + strings.Join(asText(f.Candidates), ", ")}
	for _, clue := range f.For {
		lines = append(lines, "  for: "+clue.Text)
	}
	for _, x := range f.RuledOut {
		lines = append(lines, "  not "+string(x.Cause)+": "+x.Why)
	}
	return strings.Join(lines, "\n")
}

func asText(causes []diagnose.Cause) []string {
	var all []string
	for _, c := range causes {
		all = append(all, string(c))
	}
	return all
}

// overview tells each flow of a report.
func overview(r diagnose.Report) string {
	var lines []string
	for _, f := range r.Flows[:min(len(r.Flows), maxLines)] {
		lines = append(lines, string(f.Cause)+" ("+string(f.Grade)+") "+f.Name+"\n"+explain(f))
	}
	return strings.Join(lines, "\n")
}
