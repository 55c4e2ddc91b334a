package tests

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/predict"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// report tells of a scenario in which the engines differ: the smallest one like it
// that still does, in which fields, by which rules predict went, and the packets.
func (st stand) report(t *testing.T, s scenario.Scenario) {
	t.Helper()
	small := shrink(s, func(s scenario.Scenario) bool { return st.covers(s) && st.compare(s) != nil })
	err := st.compare(small) // once more, so that its packets are those at hand
	if err == nil {
		t.Errorf("it differed once and does not any more: %v", s)
		return
	}
	decisions, explainErr := predict.Explain(small, st.Calibration)
	if explainErr != nil {
		t.Error(explainErr)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "predict and the kernel differ:\n%v\nin this scenario, shrunk from one of %d clients:\n\t%v\n", err, s.Arrivals.Clients(), small)
	text.WriteString("the rules by which predict went; one of the last of them is wrong:\n")
	list(&text, decisions)
	if st.wire != nil {
		text.WriteString("the packets that the kernels sent:\n")
		list(&text, st.wire.Packets())
	}
	t.Error(text.String())
	st.savePackets(t)
}

// maxLines bounds a list in a failure.
const maxLines = 24

func list[T any](text *strings.Builder, items []T) {
	for i, item := range items {
		if i == maxLines {
			fmt.Fprintf(text, "\t... and %d more\n", len(items)-maxLines)
			return
		}
		fmt.Fprintf(text, "\t%v\n", item)
	}
}

// savePackets keeps the capture of a mismatch, which may not come again: as an artifact
// if go test was told to keep those, and else as a temporary file, which stays.
func (st stand) savePackets(t *testing.T) {
	t.Helper()
	if st.wire == nil {
		return
	}
	file, err := captureFile(t)
	fatal(t, err)
	fatal(t, errors.Join(st.wire.WritePcapng(file), file.Close()))
	t.Logf("the packets are in %s", file.Name())
}

// captureFile makes a file that outlives the test.
func captureFile(t *testing.T) (*os.File, error) {
	if artifactsKept() {
		return os.Create(filepath.Join(t.ArtifactDir(), artifactName(t, "pcapng")))
	}
	return os.CreateTemp(os.TempDir(), "rstlab-mismatch-*.pcapng")
}

// shrink makes a scenario that fails smaller, as long as it fails.
func shrink(s scenario.Scenario, fails func(scenario.Scenario) bool) scenario.Scenario {
	for {
		i := slices.IndexFunc(smaller(s), func(s scenario.Scenario) bool { return s.Validate() == nil && fails(s) })
		if i < 0 {
			return s
		}
		s = smaller(s)[i]
	}
}

// smaller are the scenarios one step simpler than s, the boldest steps first.
func smaller(s scenario.Scenario) []scenario.Scenario {
	var all []scenario.Scenario
	try := func(change func(*scenario.Scenario)) {
		simpler := s
		simpler.Arrivals = slices.Clone(s.Arrivals)
		simpler.ListenAgain = slices.Clone(s.ListenAgain)
		change(&simpler)
		if simpler.String() != s.String() {
			all = append(all, simpler)
		}
	}
	for i := range s.Arrivals {
		try(func(s *scenario.Scenario) { s.Arrivals = slices.Delete(s.Arrivals, i, i+1) })
	}
	for i, w := range s.Arrivals {
		for _, n := range []int{w.Clients / 2, w.Clients - 1} {
			try(func(s *scenario.Scenario) { s.Arrivals[i].Clients = n })
		}
		try(func(s *scenario.Scenario) { s.Arrivals[i].Gap = 0 })
	}
	try(func(s *scenario.Scenario) { s.CloseListener = nil })
	try(func(s *scenario.Scenario) { s.SYNCookiesOff = nil })
	try(func(s *scenario.Scenario) { s.ListenAgain = nil })
	try(func(s *scenario.Scenario) { s.Write = nil })
	try(func(s *scenario.Scenario) { s.Accept = scenario.Accept{Mode: scenario.AcceptNever} })
	try(func(s *scenario.Scenario) { s.IPv6 = false })
	try(func(s *scenario.Scenario) { s.RTT = 0 })
	try(func(s *scenario.Scenario) { s.MaxSYNBacklog = 4096 })
	for _, n := range []int{s.Backlog / 2, s.Backlog - 1} {
		try(func(s *scenario.Scenario) { s.Backlog = max(n, 0) })
	}
	try(func(s *scenario.Scenario) { s.SYNCookies = max(s.SYNCookies-1, 0) })
	try(func(s *scenario.Scenario) { s.AbortOnOverflow = false })
	return all
}

// The smallest failing scenario of a made-up fault is found, whatever else is in it.
func TestShrinkFindsTheSmallest(t *testing.T) {
	big := knobs{cookies: 2, abort: true, ipv6: true}.scenario(16, scenario.Wave{Clients: 20}, scenario.Wave{Clients: 30, At: secondWave, Gap: time.Millisecond})
	big.CloseListener, big.Write = new(time.Second), new(time.Duration(0))
	small := shrink(big, func(s scenario.Scenario) bool { return s.Arrivals.Clients() >= 3 && s.Backlog >= 2 })
	want := `{"arrivals":[{"clients":3,"at":"500ms","gap":"0s"}],"rtt":"0s","backlog":2,"somaxconn":4096,"abort_on_overflow":false,` +
		`"syncookies":0,"max_syn_backlog":4096,"synack_retries":5,"accept":{"mode":"never"},"write":"never","ipv6":false}`
	if small.String() != want {
		t.Errorf("shrunk to %v\nwant %s", small, want)
	}
}
