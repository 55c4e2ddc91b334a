package tests

import (
	"flag"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
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
	"golang.org/x/sys/unix"
)

var reportDir = flag.String("report", "", "folder that exists, for the page about the story's run: page.html, page.md and page.json")

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
	e.Clients = told(result, netip.AddrPortFrom(s.front.Addrs()[0], frontPort))

	page := storyPage(t, r, e, result)
	checkStory(t, page.Diagnosis, result)
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

// told is what the clients of a swarm were told.
func told(result loadclient.Result, server netip.AddrPort) []scenario.ClientError {
	var all []scenario.ClientError
	for _, c := range result.Clients {
		if c.Error != "" {
			all = append(all, scenario.ClientError{At: c.Ended, Local: c.Local, Remote: server, Phase: string(c.Phase), Errno: c.ErrnoName, Text: c.Error})
		}
	}
	return all
}

func storyPage(t *testing.T, r row, e scenario.Evidence, result loadclient.Result) report.Page {
	t.Helper()
	page := report.Page{
		Title: "400 clients start at once, and some are reset", Evidence: e, Diagnosis: diagnose.Run(e),
		Runs:        []report.Run{{Name: r.name(), Fates: result.Fates, Clients: r.clients}},
		Environment: environment(t, e),
	}
	for _, c := range result.Clients {
		took := report.ConnectTime{Duration: c.Connected - c.Started, Fate: c.Fate}
		if c.Connected == 0 {
			took.Duration = c.Ended - c.Started
		}
		if c.TCP != nil {
			took.SYNRetries = int(c.TCP.SYNRetries)
		}
		page.ConnectTimes = append(page.ConnectTimes, took)
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

func environment(t *testing.T, e scenario.Evidence) []report.Fact {
	t.Helper()
	var uts unix.Utsname
	fatal(t, unix.Uname(&uts))
	facts := []report.Fact{
		{Name: "kernel", Value: unix.ByteSliceToString(uts.Release[:])}, {Name: "architecture", Value: runtime.GOARCH}, {Name: "Go", Value: runtime.Version()},
	}
	for _, key := range []string{"net.core.somaxconn", abortKey, "net.ipv4.tcp_syncookies", "net.ipv4.tcp_max_syn_backlog"} {
		facts = append(facts, report.Fact{Name: key, Value: e.Hosts[1].Sysctls[key]})
	}
	return facts
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
	for name, write := range map[string]func(io.Writer) error{"page.html": page.HTML, "page.md": page.Markdown, "page.json": page.JSON} {
		path := filepath.Join(folder, name)
		file, err := os.Create(path)
		fatal(t, err)
		fatal(t, write(file))
		fatal(t, file.Close())
		t.Logf("the page is in %s", path)
	}
}
