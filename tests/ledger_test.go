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

// ledger collects one line a row and prints them in the order of the rows, however
// the rows overtook one another.
type ledger struct {
	mu    sync.Mutex
	lines map[string]ledgerLine // by the row's name
}

// ledgerLine is a row; its observation is empty while it has not come to its end.
type ledgerLine struct {
	observation
	row    row
	played bool
	failed bool
}

func (l *ledger) set(line ledgerLine) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lines == nil {
		l.lines = map[string]ledgerLine{}
	}
	l.lines[line.row.name()] = line
}

// publish prints the ledger and the verdict to the test's log, and appends them to
// the summary of a GitHub job if there is one.
func (l *ledger) publish(t *testing.T) {
	l.write(t.Output())
	var text strings.Builder
	fmt.Fprint(&text, "### The story\n\n```\n")
	l.write(&text)
	fmt.Fprint(&text, "```\n")
	appendSummary(t, text.String())
}

// appendSummary adds text to the summary of a GitHub job, if there is one.
func appendSummary(t *testing.T, text string) {
	t.Helper()
	path := os.Getenv("GITHUB_STEP_SUMMARY")
	if path == "" {
		return
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Errorf("open the job summary: %v", err)
		return
	}
	defer file.Close()
	if _, err := file.WriteString(text); err != nil {
		t.Errorf("write the job summary: %v", err)
	}
}

func (l *ledger) write(w io.Writer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, " \tqueue of\tclients\tlimit\tabort\tarrivals\tfates\tdrops\tcounters that moved there; and at its clients")
	for _, r := range rows() {
		if line, ok := l.lines[r.name()]; ok && line.played {
			line.write(table)
		}
	}
	table.Flush()
	fmt.Fprintln(w, l.verdict())
}

// write prints the knobs as they were found. An exclamation mark is for a failed row.
func (l ledgerLine) write(w io.Writer) {
	mark := " "
	if l.failed {
		mark = "!"
	}
	server, peer, queue := l.overflow()
	fates := l.Result.Fates.String()
	if n := l.resets(); n > 0 && l.row.hop == "backend" {
		fates += fmt.Sprintf(" (reset behind the front %d)", n)
	}
	fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\t%s\t%s\t%d\t%s\n", mark, l.row.hop, l.row.clients, queue.Limit, l.Abort, l.row.arrivals(),
		fates, queue.Drops, moved(server, peer))
}

// moved lists what moved at both ends.
func moved(server, peer scenario.Counters) string {
	if there, clients := inOrder(server), inOrder(peer); there+clients != "" {
		return there + "; " + clients
	}
	return ""
}

// inOrder lists what moved, the most telling first.
func inOrder(counters scenario.Counters) string {
	var parts []string
	for _, name := range scenario.OverflowCounters() {
		if n := counters[name]; n != 0 {
			parts = append(parts, fmt.Sprintf("%s %d", name, n))
		}
	}
	return strings.Join(parts, ", ")
}

// verdict is one sentence on the rows that were played, and the names of those that
// failed.
func (l *ledger) verdict() string {
	var full, fullReset, other, otherReset int
	var failed []string
	for _, line := range l.lines {
		switch {
		case !line.played:
			failed = append(failed, line.row.name()+" (before its run)")
			continue
		case line.failed:
			failed = append(failed, line.row.name())
		}
		reset := 0
		if line.resets() > 0 {
			reset = 1
		}
		if line.row.resets {
			full, fullReset = full+1, fullReset+reset
		} else {
			other, otherReset = other+1, otherReset+reset
		}
	}
	slices.Sort(failed)
	lines := []string{fmt.Sprintf("verdict: the handshake RST appeared in %d of %d bursts into a full accept queue with abort on,\n"+
		"         and in %d of %d rows with abort off, a backlog that fits, or clients 20 ms apart.", fullReset, full, otherReset, other)}
	for _, name := range failed {
		lines = append(lines, "         FAILED: "+name)
	}
	return strings.Join(lines, "\n")
}
