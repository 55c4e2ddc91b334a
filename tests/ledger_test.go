package tests

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// ledgerCounters are the counters that the accept queue's overflow can move, of
// those that each host has.
var ledgerCounters = []string{
	"EmbryonicRsts", "OutRsts", "EstabResets", "ListenOverflows", "ListenDrops",
	"TCPReqQFullDrop", "TCPReqQFullDoCookies", "SyncookiesSent", "SyncookiesRecv", "SyncookiesFailed",
	"TCPTimeouts", "TCPSynRetrans", "AttemptFails", "TCPBacklogDrop",
}

// ledger collects one line a row and prints them in the order of the rows, however
// the rows overtook one another.
type ledger struct {
	mu    sync.Mutex
	lines map[string]ledgerLine
}

type ledgerLine struct {
	observation
	passed bool
}

func (l *ledger) add(o observation, passed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lines == nil {
		l.lines = map[string]ledgerLine{}
	}
	l.lines[o.Row] = ledgerLine{o, passed}
}

// publish prints the ledger and the verdict to the test's log, and appends them to
// the summary of a GitHub job if there is one.
func (l *ledger) publish(t *testing.T) {
	l.write(t.Output())
	path := os.Getenv("GITHUB_STEP_SUMMARY")
	if path == "" {
		return
	}
	var text strings.Builder
	fmt.Fprint(&text, "### The story\n\n```\n")
	l.write(&text)
	fmt.Fprint(&text, "```\n")
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Errorf("open the job summary: %v", err)
		return
	}
	defer file.Close()
	if _, err := file.WriteString(text.String()); err != nil {
		t.Errorf("write the job summary: %v", err)
	}
}

func (l *ledger) write(w io.Writer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "queue of\tclients\tbacklog\tabort\tarrivals\tfates\tdrops\tcounters that moved there")
	for _, r := range rows() {
		if line, ok := l.lines[r.name()]; ok {
			line.write(table)
		}
	}
	table.Flush()
	fmt.Fprintln(w, l.verdict())
}

func (l ledgerLine) write(w io.Writer) {
	server, drops := l.Front, l.FrontQueue.Drops
	if l.row.hop == "backend" {
		server, drops = l.Backend, l.BackendQueue.Drops
	}
	fates := l.Result.Fates.String()
	if n := l.resets(); n > 0 && l.row.hop == "backend" {
		fates += fmt.Sprintf(" (reset behind the front %d)", n)
	}
	fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%s\t%s\t%d\t%s\n", l.row.hop, l.row.clients, l.row.backlog, l.row.abortValue(), l.row.arrivals(),
		fates, drops, inOrder(server))
}

// inOrder lists what moved in the order of ledgerCounters.
func inOrder(moved scenario.Counters) string {
	var parts []string
	for _, name := range ledgerCounters {
		if n := moved[name]; n != 0 {
			parts = append(parts, fmt.Sprintf("%s %d", name, n))
		}
	}
	return strings.Join(parts, ", ")
}

// verdict is one sentence on the whole story.
func (l *ledger) verdict() string {
	if len(l.lines) == 0 {
		return "verdict: none, since no row came to its end"
	}
	var appeared, shouldAppear, stayedAway, shouldStayAway int
	var failed []string
	for _, line := range l.lines {
		switch n := line.resets(); {
		case line.row.resets && n > 0:
			appeared++
		case !line.row.resets && n == 0:
			stayedAway++
		}
		if line.row.resets {
			shouldAppear++
		} else {
			shouldStayAway++
		}
		if !line.passed {
			failed = append(failed, line.Row)
		}
	}
	verdict := fmt.Sprintf("verdict: the handshake RST appeared in %d of %d bursts into a full accept queue with abort on,\n"+
		"         and in %d of the %d rows with abort off, a backlog that fits, or clients 20 ms apart.",
		appeared, shouldAppear, shouldStayAway-stayedAway, shouldStayAway)
	if len(failed) > 0 {
		slices.Sort(failed)
		verdict += "\n         FAILED: " + strings.Join(failed, "; ")
	}
	return verdict
}
