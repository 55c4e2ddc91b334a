package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rstlab/rstlab/netlab/diagnose"
)

// How much of the diagnosis is shown. The rest is in the JSON.
const (
	mostClues = 12 // of a kind and flow
	mostBooks = 60
	mostNotes = 30
)

// causeView is one cause, shown by one typical flow.
type causeView struct {
	diagnose.Count
	Reason string // in plain words; may be empty
	Flow   *diagnose.Flow
	Like   int // flows of the same shape
	Rows   []evidenceRow
	Ladder *ladderView
}

// evidenceRow is one line of the evidence: what it is, what it says, where it is.
type evidenceRow struct{ Kind, What, Where string }

func (p Page) causeViews() []causeView {
	var views []causeView
	for _, c := range p.causes() {
		v := causeView{Count: c, Reason: because[c.Cause], Flow: p.typical(c.Cause)}
		if v.Flow != nil {
			_, v.Like = p.typicalShape(c.Cause)
			v.Rows, v.Ladder = evidenceRows(v.Flow), ladder(v.Flow, p.Evidence)
		}
		views = append(views, v)
	}
	return views
}

// evidenceRows lists what speaks for and against the cause of a flow, what was ruled
// out, what else is possible, and what would tell.
func evidenceRows(f *diagnose.Flow) []evidenceRow {
	rows := clueRows("for", f.For)
	rows = append(rows, clueRows("against", f.Against)...)
	for i, x := range f.RuledOut {
		if i == mostClues {
			rows = append(rows, evidenceRow{"ruled out", plural(len(f.RuledOut)-i, "more cause"), ""})
			break
		}
		rows = append(rows, evidenceRow{"ruled out", fmt.Sprintf("%s: %s", x.Cause, x.Why), ""})
	}
	for _, c := range f.Candidates[min(1, len(f.Candidates)):] {
		rows = append(rows, evidenceRow{"also possible", string(c), ""})
	}
	if f.CaptureNext != "" {
		rows = append(rows, evidenceRow{"capture next", f.CaptureNext, ""})
	}
	return rows
}

func clueRows(kind string, clues []diagnose.Clue) []evidenceRow {
	var rows []evidenceRow
	for i, c := range clues {
		if i == mostClues {
			return append(rows, evidenceRow{kind, plural(len(clues)-i, "more clue"), ""})
		}
		rows = append(rows, evidenceRow{kind, c.Text, where(c)})
	}
	return rows
}

// where tells at which host, when and in which packet a clue is.
func where(c diagnose.Clue) string {
	var parts []string
	if c.Host != "" {
		parts = append(parts, c.Host)
	}
	if c.At != 0 {
		parts = append(parts, "at "+exactSpan(c.At))
	}
	if c.Packet != 0 {
		parts = append(parts, fmt.Sprintf("packet %d", c.Packet))
	}
	return strings.Join(parts, ", ")
}

// bookRow is one line of the books.
type bookRow struct {
	diagnose.Entry
	By        string // the causes that explain it
	Remainder string
}

// books are the lines of the books, and how many were left out.
func (p Page) books() (rows []bookRow, left int) {
	for i, e := range p.Diagnosis.Summary.Books {
		if i == mostBooks {
			return rows, len(p.Diagnosis.Summary.Books) - i
		}
		row := bookRow{Entry: e, Remainder: "0"}
		var by []string
		for _, cause := range slices.Sorted(maps.Keys(e.Explained)) {
			if n := e.Explained[cause]; n != 0 {
				by = append(by, fmt.Sprintf("%s %d", cause, n))
			}
		}
		row.By = strings.Join(by, ", ")
		if e.Unexplained != 0 {
			row.Remainder = fmt.Sprintf("%+d", e.Unexplained)
		}
		rows = append(rows, row)
	}
	return rows, 0
}

// notes are what the evidence lacks or contradicts.
func (p Page) notes() []string {
	notes := p.Diagnosis.Summary.Notes
	if more := len(notes) - mostNotes; more > 0 {
		return append(slices.Clone(notes[:mostNotes]), plural(more, "more note"))
	}
	return notes
}
