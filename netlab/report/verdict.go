package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/rstlab/rstlab/netlab/diagnose"
)

// Verdict is what a page says first. It is zero if there are neither runs nor causes.
type Verdict struct {
	Plain string         `json:"plain,omitempty"` // one sentence for readers who do not know TCP, which says how sure it is
	Grade diagnose.Grade `json:"grade,omitempty"` // of the most frequent cause
	Cure  string         `json:"cure,omitempty"`  // of that cause
	Exact string         `json:"exact,omitempty"` // one sentence with causes, grades, packets and counters
}

// mostCauses and mostCounters are how many of them the exact sentence names.
const (
	mostCauses   = 4
	mostCounters = 6
)

// Verdict judges by the summary of the diagnosis; where there is none, by the runs.
func (p Page) Verdict() Verdict {
	bad, total := p.failures()
	switch {
	case total == 0:
		return Verdict{Plain: p.runsInWords()}
	case len(bad) == 0:
		plain := fmt.Sprintf("%s went well.", allOf(total, "connection"))
		if failed := p.failedRuns(); failed != "" {
			plain = fmt.Sprintf("%s went well for TCP, and %s all the same: look at what the program answered.", allOf(total, "connection"), failed)
		}
		return Verdict{
			Plain: plain,
			Exact: sentence([]string{fmt.Sprintf("%s: %d", diagnose.Healthy, total), p.booksInWords(), p.failedRuns()}),
		}
	}
	return Verdict{Plain: plainly(bad, total), Grade: bad[0].Grade, Cure: bad[0].Cure, Exact: p.exactly(bad)}
}

// failures are the causes that are not healthy, those with the most connections that
// were never served first, and the number of all flows.
func (p Page) failures() (bad []diagnose.Count, total int) {
	for _, c := range p.Diagnosis.Summary.Causes {
		total += c.Flows
		if c.Cause != diagnose.Healthy && c.Flows > 0 {
			bad = append(bad, c)
		}
	}
	slices.SortStableFunc(bad, func(a, b diagnose.Count) int { return cmp.Compare(b.Flows-b.Recovered, a.Flows-a.Recovered) })
	return bad, total
}

// plainly says how many connections failed, how many of them by the worst cause and why,
// and how many were served late.
func plainly(bad []diagnose.Count, total int) string {
	failed, late := 0, 0
	for _, c := range bad {
		failed, late = failed+c.Flows-c.Recovered, late+c.Recovered
	}
	worst, some := bad[0], ""
	if n := worst.Flows - worst.Recovered; n > 0 && n < failed {
		some = fmt.Sprintf("%d of them", n)
	}
	switch {
	case failed == 0:
		return fmt.Sprintf("%d of %s came late%s.", late, plural(total, "connection"), why(worst, some))
	case late == 0:
		return fmt.Sprintf("%d of %s went wrong%s.", failed, plural(total, "connection"), why(worst, some))
	}
	return fmt.Sprintf("%d of %s went wrong%s; %d more came late.", failed, plural(total, "connection"), why(worst, some), late)
}

// why goes on with the reason for a cause, in words that are no surer than its grade. It
// holds for some of the connections, such as "2 of them"; empty: for all.
func why(worst diagnose.Count, some string) string {
	reason, guess := "because of "+string(worst.Cause), "it could be "+string(worst.Cause)
	if r, ok := because[worst.Cause]; ok {
		reason, guess = "because "+r, "it could be that "+r
	}
	lead, about := ", ", "; "
	if some != "" {
		lead, about = ", "+some+" ", "; for "+some+" "
	}
	switch {
	case worst.Cause == diagnose.Unknown && some == "":
		return ", and the evidence does not tell why"
	case worst.Cause == diagnose.Unknown:
		return about + "the evidence does not tell why"
	case worst.Grade == diagnose.Possible:
		return about + guess + ", but other causes fit as well"
	case worst.Grade == diagnose.Likely:
		return lead + "most likely " + reason
	case worst.Grade == diagnose.Certain:
		reason += " (this is certain)"
	}
	if some == "" {
		return " " + reason
	}
	return lead + reason
}

// exactly names the causes with their grades and packets, the counters that the first
// of them moved, and whether the books balance.
func (p Page) exactly(bad []diagnose.Count) string {
	var parts []string
	for _, c := range bad[:min(len(bad), mostCauses)] {
		part := fmt.Sprintf("%s: %d, %s", c.Cause, c.Flows, c.Grade)
		if c.Recovered > 0 {
			part += fmt.Sprintf(", %d of them served late", c.Recovered)
		}
		if shape, n := p.typicalShape(c.Cause); shape != "" {
			part += fmt.Sprintf(", packets %s in %d of them", shape, n)
		}
		parts = append(parts, part)
	}
	if more := len(bad) - mostCauses; more > 0 {
		parts = append(parts, plural(more, "more cause"))
	}
	return sentence(append(parts, p.countersInWords(bad[0].Cause), p.booksInWords(), p.failedRuns()))
}

// countersInWords lists the counters that a cause moved, by host. An unknown cause
// explains nothing.
func (p Page) countersInWords(cause diagnose.Cause) string {
	var parts []string
	for _, e := range p.Diagnosis.Summary.Books {
		if n := e.Explained[cause]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s %d", e.Host, e.Counter, n))
		}
	}
	if len(parts) == 0 || cause == diagnose.Unknown {
		return ""
	}
	if more := len(parts) - mostCounters; more > 0 {
		parts = append(parts[:mostCounters], fmt.Sprintf("%d more", more))
	}
	return fmt.Sprintf("%s explains %s", cause, strings.Join(parts, ", "))
}

// booksInWords tells whether a counter has a remainder.
func (p Page) booksInWords() string {
	var open []string
	for _, e := range p.Diagnosis.Summary.Books {
		if e.Unexplained != 0 {
			open = append(open, fmt.Sprintf("%s %s %+d", e.Host, e.Counter, e.Unexplained))
		}
	}
	if more := len(open) - mostCounters; more > 0 {
		open = append(open[:mostCounters], fmt.Sprintf("%d more", more))
	}
	switch {
	case len(p.Diagnosis.Summary.Books) == 0:
		return ""
	case len(open) == 0:
		return "the books balance"
	}
	return "unexplained: " + strings.Join(open, ", ")
}

// runsInWords tells how many runs failed; empty if there are none.
func (p Page) runsInWords() string {
	if len(p.Runs) == 0 {
		return ""
	}
	if failed := p.failedRuns(); failed != "" {
		return sentence([]string{failed})
	}
	clients := 0
	for _, r := range p.Runs {
		clients += r.total()
	}
	return fmt.Sprintf("%s passed, with %s in all.", allOf(len(p.Runs), "run"), plural(clients, "client"))
}

// failedRuns names the runs that failed; empty if none did.
func (p Page) failedRuns() string {
	const most = 3
	var names []string
	for _, r := range p.Runs {
		if r.Failed {
			names = append(names, r.Name)
		}
	}
	failed := len(names)
	if failed == 0 {
		return ""
	}
	if failed > most {
		names = append(names[:most], fmt.Sprintf("%d more", failed-most))
	}
	return fmt.Sprintf("%d of %s failed (%s)", failed, plural(len(p.Runs), "run"), strings.Join(names, ", "))
}

// sentence joins the parts that are not empty.
func sentence(parts []string) string {
	var kept []string
	for _, part := range parts {
		if part != "" {
			kept = append(kept, part)
		}
	}
	if len(kept) == 0 {
		return ""
	}
	return strings.Join(kept, "; ") + "."
}

// allOf says "All 400 clients", and "The one client" where there is no other.
func allOf(n int, what string) string {
	if n == 1 {
		return "The one " + what
	}
	return fmt.Sprintf("All %s", plural(n, what))
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
