package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/rstlab/rstlab/netlab/diagnose"
)

// Markdown writes the page for the summary of a CI job: the verdict and tables, without
// pictures. All that comes from outside is escaped.
func (p Page) Markdown(w io.Writer) error {
	var m markdown
	m.printf("# %s\n", escape(p.title()))
	m.verdict(p.Verdict())
	m.runs(p.Runs)
	m.causes(p)
	m.books(p)
	m.queues(p)
	m.times(p.ConnectTimes)
	m.heat(p.Heat)
	m.advice(p)
	m.environment(p.Environment)
	if _, err := w.Write(m.Bytes()); err != nil {
		return fmt.Errorf("write the report as Markdown: %w", err)
	}
	return nil
}

// markdown is a document being written. Arguments of its methods are escaped already.
type markdown struct{ bytes.Buffer }

func (m *markdown) printf(format string, args ...any) { fmt.Fprintf(m, format, args...) }

// table begins a table. A column whose name begins with # holds numbers.
func (m *markdown) table(columns ...string) {
	rule := make([]string, len(columns))
	for i, c := range columns {
		rule[i] = "---"
		if name, number := strings.CutPrefix(c, "#"); number {
			columns[i], rule[i] = name, "--:"
		}
	}
	m.printf("\n")
	m.row(columns...)
	m.row(rule...)
}

func (m *markdown) row(cells ...string) { m.printf("| %s |\n", strings.Join(cells, " | ")) }

func (m *markdown) verdict(v Verdict) {
	if v.Plain == "" {
		return
	}
	m.printf("\n**%s**\n", escape(v.Plain))
	if v.Cure != "" {
		m.printf("\n%s: %s\n", helps(v.Grade), escape(v.Cure))
	}
	if v.Exact != "" {
		m.printf("\nFor engineers: %s\n", escape(v.Exact))
	}
}

func (m *markdown) runs(runs []Run) {
	if len(runs) == 0 {
		return
	}
	m.printf("\n## What became of every client\n")
	m.table("run", "#clients", "fates", "verdict")
	for _, r := range runs {
		_, labels, _ := barParts(r)
		verdict := "passed"
		if r.Failed {
			verdict = "**failed**"
			if r.Why != "" {
				verdict += ": " + escape(r.Why)
			}
		}
		m.row(escape(r.Name), fmt.Sprint(r.total()), strings.Join(labels, ", "), verdict)
	}
}

func (m *markdown) causes(p Page) {
	causes := p.causeViews()
	if len(causes) == 0 {
		return
	}
	m.printf("\n## Evidence, cause by cause\n")
	for _, c := range causes {
		m.printf("\n### %s, %s (%s)\n", escape(string(c.Cause)), plural(c.Flows, "connection"), escape(string(c.Grade)))
		if c.Reason != "" {
			m.printf("\n%s: %s.\n", happened(c.Grade), c.Reason)
		}
		if c.Cure != "" {
			m.printf("\n%s: %s\n", helps(c.Grade), escape(c.Cure))
		}
		m.flow(c)
	}
}

func (m *markdown) flow(c causeView) {
	if c.Flow == nil {
		return
	}
	m.printf("\nA typical one is %s", code(c.Flow.Name))
	if c.Flow.Shape != "" {
		m.printf(" with the packets %s, as in %d of %d", code(c.Flow.Shape), c.Like, c.Flows)
	}
	m.printf(".\n")
	if len(c.Rows) == 0 || c.Cause == diagnose.Healthy {
		return
	}
	m.table("evidence", "what it says", "where")
	for _, r := range c.Rows {
		m.row(r.Kind, escape(r.What), escape(r.Where))
	}
}

func (m *markdown) books(p Page) {
	rows, left := p.books()
	if len(rows) > 0 {
		m.printf("\n## Do the books balance?\n")
		m.table("host", "counter", "#moved by", "explained by", "#unexplained")
	}
	for _, r := range rows {
		remainder := r.Remainder
		if r.Unexplained != 0 {
			remainder = "**" + remainder + "**"
		}
		m.row(escape(r.Host), escape(r.Counter), fmt.Sprint(r.Moved), escape(r.By), remainder)
	}
	if left > 0 {
		m.printf("\n%d more in the JSON.\n", left)
	}
	notes := p.notes()
	if len(notes) > 0 {
		m.printf("\n## What the evidence lacks or contradicts\n\n")
	}
	for _, n := range notes {
		m.printf("- %s\n", escape(n))
	}
}

func (m *markdown) queues(p Page) {
	views, left := p.queueViews()
	if len(views) == 0 {
		return
	}
	m.printf("\n## The queues\n")
	m.table("listener", "#most waiting", "#limit", "#most half-open", "#drops", "#resets")
	for _, v := range views {
		halfOpen := "not looked at"
		if v.SYNPeak >= 0 {
			halfOpen = fmt.Sprint(v.SYNPeak)
		}
		m.row(escape(v.Name), fmt.Sprint(v.Peak), fmt.Sprint(v.Limit), halfOpen, fmt.Sprint(v.Drops), fmt.Sprint(v.Resets))
	}
	if left != "" {
		m.printf("\n%s in the JSON.\n", left)
	}
}

func (m *markdown) times(times []ConnectTime) {
	if len(times) == 0 {
		return
	}
	m.printf("\n## How long connecting took\n")
	m.table("fate", "#below a second", "#median", "#longest", "with repeated SYNs")
	for _, g := range byFate(times) {
		median, longest := "", ""
		if n := len(g.Quick); n > 0 {
			median, longest = span(g.Quick[n/2]), span(g.Quick[n-1])
		}
		m.row(words(g.Fate), fmt.Sprint(len(g.Quick)), median, longest, slowInWords(g.Slow))
	}
}

// slowInWords counts slow connect times, which are in order, by their whole seconds.
func slowInWords(slow []ConnectTime) string {
	var parts []string
	for i := 0; i < len(slow); {
		from := i
		for i < len(slow) && whole(slow[i]) == whole(slow[from]) {
			i++
		}
		parts = append(parts, fmt.Sprintf("%v: %d", time.Duration(whole(slow[from]))*time.Second, i-from))
	}
	return strings.Join(parts, ", ")
}

func (m *markdown) heat(h *Heat) {
	if h == nil || len(h.Columns.Values) == 0 || len(h.Rows.Values) == 0 {
		return
	}
	m.printf("\n## %s and %s\n", escape(h.Columns.Name), escape(h.Rows.Name))
	columns := []string{escape(h.Rows.Name) + " ↓ " + escape(h.Columns.Name) + " →"}
	for _, v := range h.Columns.Values {
		columns = append(columns, escape(v))
	}
	m.table(columns...)
	for row, value := range h.Rows.Values {
		cells := []string{escape(value)}
		for column := range h.Columns.Values {
			cells = append(cells, cellInWords(h.at(column, row)))
		}
		m.row(cells...)
	}
}

func cellInWords(c Cell) string {
	var parts []string
	for _, l := range cellLines(c) {
		parts = append(parts, l.text)
	}
	return strings.ReplaceAll(strings.Join(parts, ", "), ":,", ":")
}

func (m *markdown) advice(p Page) {
	all := p.advice()
	if len(all) == 0 {
		return
	}
	m.printf("\n## What would lose nobody\n")
	m.table("one knob alone", "nobody is lost", "one step further")
	for _, a := range all {
		m.row(a.Knob, a.Value, a.Beyond)
	}
}

func (m *markdown) environment(facts []Fact) {
	if len(facts) == 0 {
		return
	}
	m.printf("\n## Environment\n")
	m.table("what", "value")
	for _, f := range facts {
		m.row(escape(f.Name), escape(f.Value))
	}
}
