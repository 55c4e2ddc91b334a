package tests

import (
	"flag"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab/diagnose"
	"github.com/rstlab/rstlab/netlab/predict"
	"github.com/rstlab/rstlab/netlab/report"
	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/rstlab/rstlab/netlab/witness"
	"github.com/rstlab/rstlab/tests/gate"
)

var reportDir = flag.String("report", "", "`folder` for the page about the story's run, or with -run Gate about the gate's")

// TestPage plays the story's own run with all witnesses on, and makes the page about it:
// 400 keep-alive clients at once, an accept queue of limit 64, abort on. Each reset is
// named with certainty and every counter accounted for, in real time on a plain veth
// pair.
func TestPage(t *testing.T) {
	t.Parallel()
	r := row{hop: "front", clients: 400, backlog: 64, pace: 20 * time.Millisecond, abort: true, resets: true}
	programs := &teeTB{T: t}
	s := newStageOn(t, programs, r)
	// With SYN cookies a client's first data may be accepted a moment after its ACK was
	// dropped, and no packet tells that from an ACK that was accepted.
	s.front.Sysctl("net.ipv4.tcp_syncookies", "0")
	recording := witness.Record(t, witness.Config{}, s.client, s.front)
	var e scenario.Evidence
	result := s.swarm(t, func() { e = recording.Stop() })
	e.Hosts[1].Log = programs.lines()
	e.Clients = result.Errors(netip.AddrPortFrom(s.front.Addrs()[0], frontPort))

	page := storyPage(t, r, e, result)
	checkStory(t, page.Diagnosis, result)
	t.Run("tshark", func(t *testing.T) {
		needTshark(t)
		if n, want := readByTshark(t, e, witnesses(e)), result.Fates[scenario.Reset]; n != want {
			t.Errorf("tshark counts %d resets after a handshake, and %d clients were reset", n, want)
		}
	})
	publishPage(t, page)
	var summary strings.Builder
	fatal(t, page.Markdown(&summary))
	appendSummary(t, summary.String())
}

// checkStory holds the diagnosis against what the clients saw.
func checkStory(t *testing.T, d diagnose.Report, result loadclient.Result) {
	t.Helper()
	resets := 0
	for _, f := range d.Flows {
		if f.Cause == diagnose.AcceptOverflowAbort && f.Grade == diagnose.Certain {
			resets++
		}
	}
	if want := result.Fates[scenario.Reset]; resets != want || want == 0 {
		t.Errorf("%d flows are diagnosed as %s with certainty, and %d clients were reset\n%s", resets, diagnose.AcceptOverflowAbort, want, overview(d))
	}
	for _, entry := range d.Summary.Books {
		if entry.Unexplained != 0 {
			t.Errorf("%s at the %s moved by %d, explained are %v", entry.Counter, entry.Host, entry.Moved, entry.Explained)
		}
	}
}

func storyPage(t *testing.T, r row, e scenario.Evidence, result loadclient.Result) report.Page {
	t.Helper()
	facts, err := gate.Environment(e.Hosts[1])
	fatal(t, err)
	page := report.Page{
		Title: "400 clients start at once, and some are reset", Evidence: e, Diagnosis: diagnose.Run(e),
		Runs:        []report.Run{{Name: r.name(), Fates: result.Fates, Clients: r.clients}},
		Environment: facts, ConnectTimes: gate.ConnectTimes(result.Clients),
	}
	s := scenario.Defaults()
	s.Arrivals = scenario.Arrivals{{Clients: r.clients}}
	s.RTT, s.Backlog, s.AbortOnOverflow, s.Write = time.Millisecond, r.backlog, r.abort, new(time.Duration(0))
	s.SYNCookies = 0 // as TestPage has it
	s.Accept = scenario.Accept{Mode: scenario.AcceptEvery, Every: r.pace}
	advice, err := predict.Advise(s, scenario.Modern)
	fatal(t, err)
	page.Advice = &advice
	s.Horizon = 10 * time.Second
	backlogs, bursts := []int{16, 64, 128, 256, 512}, []int{50, 100, 200, 400, 800}
	page.Heat, err = report.BacklogByBurst(s, scenario.Modern, backlogs, bursts)
	fatal(t, err)
	page.Heat.Measure(slices.Index(backlogs, r.backlog), slices.Index(bursts, r.clients), result.Fates)
	return page
}

// publishPage writes the page where it was asked for, or where a failed test leaves its
// evidence.
func publishPage(t *testing.T, page report.Page) {
	t.Helper()
	folder := *reportDir
	if folder == "" && t.Failed() && keepsArtifacts(t) {
		folder = t.ArtifactDir()
	}
	if folder == "" {
		fatal(t, page.HTML(io.Discard))
		return
	}
	fatal(t, gate.SavePage(folder, page))
	t.Logf("the page is in %s", folder)
}
