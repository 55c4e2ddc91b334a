package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// golden is a page that is small enough to be read.
func golden(t *testing.T) Page {
	s := scenario.Defaults()
	s.Arrivals = scenario.Arrivals{{Clients: 4, Gap: 60 * ms}}
	s.RTT, s.Backlog, s.AbortOnOverflow, s.SYNCookies, s.Horizon = 100*ms, 1, true, 0, time.Second/2
	s.Accept = scenario.Accept{Mode: scenario.AcceptNever}
	p := sample(t, s)
	heat, err := BacklogByBurst(flat(s), scenario.Modern, []int{1, 4}, []int{2, 4})
	if err != nil {
		t.Fatal(err)
	}
	heat.Measure(0, 0, scenario.Fates{scenario.Queued: 2})
	heat.Measure(0, 1, scenario.Fates{scenario.Queued: 3, scenario.Reset: 1})
	p.Heat = heat
	return p
}

func TestGolden(t *testing.T) {
	t.Parallel()
	p := golden(t)
	for name, write := range map[string]func(*bytes.Buffer) error{
		"page.md":   func(b *bytes.Buffer) error { return p.Markdown(b) },
		"page.json": func(b *bytes.Buffer) error { return p.JSON(b) },
	} {
		var got bytes.Buffer
		if err := write(&got); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s differs; run go test -update and look at the difference. Now it is:\n%s", file, got.Bytes())
		}
	}
}

func TestJSONRoundTrip(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]Page{"empty": {}, "small": golden(t), "large": sample(t, story(100))} {
		var first, second bytes.Buffer
		if err := p.JSON(&first); err != nil {
			t.Fatal(err)
		}
		back, err := Read(bytes.NewReader(first.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if err := back.JSON(&second); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("%s: what was read is written differently", name)
		}
		p.Advice, back.Advice = nil, nil // the fates of single clients are not in the JSON
		if !reflect.DeepEqual(p, back) {
			t.Errorf("%s: what was read differs from what was written", name)
		}
	}
	if _, err := Read(strings.NewReader("{")); err == nil || !strings.HasPrefix(err.Error(), "read a report: ") {
		t.Errorf("half a report is read, error is %v", err)
	}
}

// In Markdown hostile text is neither HTML nor a link nor a new line or column.
func TestHostileMarkdown(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := hostilePage(t).Markdown(&b); err != nil {
		t.Fatal(err)
	}
	spans := regexp.MustCompile("`[^`\n]*`")
	columns := 0
	for line := range strings.Lines(b.String()) {
		bare := strings.NewReplacer("\\\\", "", "\\`", "", "\\|", "", "\\*", "", "\\[", "", "\\]", "", "\\_", "", "\\#", "").Replace(line)
		bare = spans.ReplaceAllString(bare, "")
		for _, never := range []string{"<", "](", "`", "@", "\u202e", "*b*"} {
			if strings.Contains(bare, never) {
				t.Errorf("a line has a live %q: %s", never, line)
			}
		}
		n := strings.Count(bare, "|")
		if n > 0 && columns > 0 && n != columns {
			t.Errorf("a row has %d bars and the one before it %d: %s", n, columns, line)
		}
		columns = n
	}
}

func TestWriteErrors(t *testing.T) {
	t.Parallel()
	p := Page{Title: "t"}
	for _, err := range []error{p.HTML(broken{}), p.Markdown(broken{}), p.JSON(broken{})} {
		if err == nil || !strings.HasPrefix(err.Error(), "write the report as ") || !strings.HasSuffix(err.Error(), "disk full") {
			t.Errorf("error is %v, want one that names the format and the cause", err)
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errDiskFull }

type constError string

func (e constError) Error() string { return string(e) }

const errDiskFull = constError("disk full")
