package report

import (
	"embed"
	"fmt"
	"html/template"
	"io"
)

//go:embed page.gohtml picture.gohtml style.gohtml
var files embed.FS

var pageTemplate = template.Must(template.New("").Funcs(template.FuncMap{"happened": happened, "helps": helps}).ParseFS(files, "*.gohtml"))

// view is a Page as the template reads it. A section without content is nil or empty.
type view struct {
	Title       string
	Verdict     Verdict
	Bad         bool // the verdict is that something went wrong
	Ledger      *ledgerView
	Causes      []causeView
	Books       []bookRow
	BooksLeft   int
	Balanced    bool
	Notes       []string
	Queues      []queueView
	QueuesLeft  string
	Times       *timesView
	Heat        *heatView
	Advice      []advised
	Environment []Fact
}

// HTML writes the page as one file that refers to nothing outside itself and has no
// script. It can be opened from a disk, mailed and printed.
func (p Page) HTML(w io.Writer) error {
	if err := pageTemplate.ExecuteTemplate(w, "page", p.view()); err != nil {
		return fmt.Errorf("write the report as HTML: %w", err)
	}
	return nil
}

func (p Page) view() view {
	bad, _ := p.failures()
	v := view{
		Title: clean(p.title()), Verdict: p.Verdict(), Bad: len(bad) > 0 || p.failedRuns() != "",
		Ledger: p.ledger(), Causes: p.causeViews(), Balanced: p.Diagnosis.Balanced(), Notes: p.notes(),
		Times: p.times(), Heat: p.heatMap(), Advice: p.advice(), Environment: p.Environment,
	}
	v.Books, v.BooksLeft = p.books()
	v.Queues, v.QueuesLeft = p.queueViews()
	return v
}
