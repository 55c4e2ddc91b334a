package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/rstlab/rstlab/netlab/diagnose"
	"github.com/rstlab/rstlab/netlab/scenario"
)

const policy = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"/>`

// html is the page as a string.
func html(t *testing.T, p Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.HTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// elements and attributes are all that a page may have. None of them runs anything or
// fetches anything.
var (
	elements = strings.Fields("html head meta title style body h1 h2 h3 section p strong span code table thead tbody tr th td div ul li " +
		"figure figcaption svg rect line path text")
	attributes = strings.Fields("lang charset http-equiv content name id class scope tabindex role aria-label viewBox d x y x1 y1 x2 y2 width height")
)

// checkStructure proves that a page is well formed and has allowed elements and
// attributes only, and returns the names of its sections and the text of all elements.
func checkStructure(t *testing.T, page string) (sections []string, texts string) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(page))
	var all strings.Builder
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return sections, all.String()
		}
		if err != nil {
			t.Fatalf("the page is not well formed: %v", err)
		}
		switch token := token.(type) {
		case xml.CharData:
			all.Write(token)
		case xml.StartElement:
			if !slices.Contains(elements, token.Name.Local) {
				t.Errorf("the page has an element %s", token.Name.Local)
			}
			for _, a := range token.Attr {
				if !slices.Contains(attributes, a.Name.Local) {
					t.Errorf("element %s has an attribute %s", token.Name.Local, a.Name.Local)
				}
				if token.Name.Local == "section" && a.Name.Local == "id" {
					sections = append(sections, a.Value)
				}
				if a.Name.Local == "viewBox" && !strings.HasPrefix(a.Value, "0 0 800 ") {
					t.Errorf("a picture has the viewBox %s, want all of one width", a.Value)
				}
			}
		}
	}
}

func TestSectionsFollowTheirInput(t *testing.T) {
	t.Parallel()
	full := sample(t, story(80))
	for _, c := range []struct {
		name string
		page Page
		want []string
	}{
		{"nothing", Page{}, nil},
		{"title only", Page{Title: "t"}, nil},
		{"runs", Page{Runs: full.Runs}, []string{"verdict", "ledger"}},
		{"diagnosis", Page{Diagnosis: full.Diagnosis}, []string{"verdict", "causes", "books"}},
		{"notes", Page{Diagnosis: diagnose.Report{Summary: diagnose.Summary{Notes: []string{"n"}}}}, []string{"books"}},
		{"evidence", Page{Evidence: full.Evidence}, []string{"queues"}},
		{"connect times", Page{ConnectTimes: full.ConnectTimes}, []string{"times"}},
		{"heat", Page{Heat: full.Heat}, []string{"heat"}},
		{"empty heat", Page{Heat: &Heat{}}, nil},
		{"advice", Page{Advice: full.Advice}, []string{"advice"}},
		{"environment", Page{Environment: full.Environment}, []string{"environment"}},
		{"all", full, []string{"verdict", "ledger", "causes", "books", "queues", "times", "heat", "advice", "environment"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got, _ := checkStructure(t, html(t, c.page)); !slices.Equal(got, c.want) {
				t.Errorf("sections are %q, want %q", got, c.want)
			}
		})
	}
}

func TestPageIsAlone(t *testing.T) {
	t.Parallel()
	page := html(t, sample(t, story(400)))
	if !strings.Contains(page, policy) {
		t.Errorf("the page lacks its content policy %s", policy)
	}
	for _, never := range []string{"http:", "https:", "//", "src=", "href", "url(", "@import", "<script", "javascript", "ZgotmplZ"} {
		if i := strings.Index(page, never); i >= 0 {
			t.Errorf("the page has %q: ...%s...", never, page[max(0, i-40):min(len(page), i+40)])
		}
	}
}

func TestPageIsSmall(t *testing.T) {
	t.Parallel()
	const most = 300_000
	p := sample(t, story(2000))
	packets := 0
	for _, h := range p.Evidence.Hosts {
		packets += len(h.Packets)
	}
	page := html(t, p)
	t.Logf("%d bytes for 2000 clients and %d packets", len(page), packets)
	if len(page) > most {
		t.Errorf("the page has %d bytes, want at most %d", len(page), most)
	}
}

// A page with as much of everything as is shown at all stays small as well.
func TestLargestPage(t *testing.T) {
	t.Parallel()
	const most = 600_000
	p := sample(t, story(400))
	for range 500 {
		p.Runs = append(p.Runs, p.Runs[2])
		p.Diagnosis.Summary.Books = append(p.Diagnosis.Summary.Books, p.Diagnosis.Summary.Books[0])
		p.Diagnosis.Summary.Notes = append(p.Diagnosis.Summary.Notes, "a note")
	}
	for range 9 {
		p.Evidence.Hosts = append(p.Evidence.Hosts, p.Evidence.Hosts[1])
	}
	values := numbers(make([]int, 50))
	p.Heat = &Heat{Columns: Knob{"a", values}, Rows: Knob{"b", values}, Cells: make([]Cell, 2500)}
	for i := range p.Heat.Cells {
		p.Heat.Cells[i].Predicted = p.Runs[2].Fates
	}
	page := html(t, p)
	for _, left := range []string{"443 more runs", "444 more in the JSON", "471 more notes", "4 more listeners", "2356 more pairs"} {
		if !strings.Contains(page, left) {
			t.Errorf("the page does not say that it leaves out %s", left)
		}
	}
	if len(page) > most {
		t.Errorf("the page has %d bytes, want at most %d", len(page), most)
	}
}

func TestSamePageSameBytes(t *testing.T) {
	t.Parallel()
	p := sample(t, story(100))
	first := html(t, p)
	for range 5 {
		if html(t, p) != first {
			t.Fatal("the same page gave other bytes")
		}
	}
}

const hostile = "</script></style></svg><img src=x onerror=alert(1)>\"' `|x|` {{.}} ${x} *b* [l](javascript:alert(1)) @all\r\n# h\x00\u202e"

// hostilePage has that text wherever a page takes text.
func hostilePage(t *testing.T) Page {
	p := sample(t, story(80))
	p.Title = hostile
	p.Runs = []Run{{Name: hostile, Failed: true, Why: hostile, Clients: 3, Fates: scenario.Fates{scenario.Reset: 1, scenario.Fate(200): 1}}}
	for i := range p.Evidence.Hosts {
		p.Evidence.Hosts[i].Host = hostile
	}
	p.Evidence.Clients = []scenario.ClientError{{Phase: hostile, Errno: hostile, Text: hostile}}
	for i := range p.Diagnosis.Flows {
		f := &p.Diagnosis.Flows[i]
		f.Name, f.Shape, f.Cause, f.Grade, f.Cure, f.CaptureNext = hostile, hostile, hostile, hostile, hostile, hostile
		f.For = []diagnose.Clue{{Text: hostile, Host: hostile, At: 1, Packet: 1}}
		f.Against = f.For
		f.RuledOut = []diagnose.Exclusion{{Cause: hostile, Why: hostile}}
		f.Candidates = []diagnose.Cause{hostile, hostile}
	}
	p.Diagnosis.Summary = diagnose.Summary{
		Causes: []diagnose.Count{{Cause: hostile, Flows: 80, Grade: hostile, Cure: hostile}},
		Books:  []diagnose.Entry{{Host: hostile, Counter: hostile, Moved: 1, Unexplained: 1, Explained: map[diagnose.Cause]uint64{hostile: 1}}},
		Notes:  []string{hostile},
	}
	p.Heat.Columns = Knob{hostile, slices.Repeat([]string{hostile}, len(p.Heat.Columns.Values))}
	p.Heat.Rows = Knob{hostile, slices.Repeat([]string{hostile}, len(p.Heat.Rows.Values))}
	p.Environment = []Fact{{hostile, hostile}}
	return p
}

func TestHostileTextIsEscaped(t *testing.T) {
	t.Parallel()
	page := html(t, hostilePage(t))
	sections, texts := checkStructure(t, strings.ReplaceAll(page, "\ufffd", ""))
	if len(sections) != 9 {
		t.Errorf("sections are %q, want all nine", sections)
	}
	if n := strings.Count(texts, "<img src=x onerror=alert(1)>"); n < 20 {
		t.Errorf("the hostile text stands there as text %d times, want it in all its places", n)
	}
}

// The styles of all fates are there, so that none is black by accident.
func TestEveryFateHasAStyle(t *testing.T) {
	t.Parallel()
	page := html(t, Page{})
	classes := map[string]bool{"f-none": true}
	for f := range scenario.Failed + 1 {
		classes[fateClass(f)] = true
	}
	for _, class := range slices.Sorted(maps.Keys(classes)) {
		if class != "f-closed" && !strings.Contains(page, "svg ."+class) { // f-closed has the colour of all others
			t.Errorf("there is no style for %s", class)
		}
	}
}
