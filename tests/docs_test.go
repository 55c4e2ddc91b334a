package tests

import (
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rstlab/rstlab/netlab/predict"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// TestDocumentsLinkToFiles follows every relative link in the documents.
func TestDocumentsLinkToFiles(t *testing.T) {
	root := os.DirFS("..")
	documents, err := fs.Glob(root, "docs/*.md")
	fatal(t, err)
	for _, name := range append(documents, "README.md", "CONTRIBUTING.md") {
		text, err := fs.ReadFile(root, name)
		fatal(t, err)
		for _, link := range deadLinks(root, name, string(text)) {
			t.Errorf("%s links to %s, and there is no such file", name, link)
		}
	}
}

var markdownLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// deadLinks are the relative links in a document that lead to no file.
func deadLinks(root fs.FS, name, text string) []string {
	var dead []string
	for _, match := range markdownLink.FindAllStringSubmatch(text, -1) {
		target, _, _ := strings.Cut(match[1], "#")
		if target == "" || strings.Contains(target, "://") {
			continue
		}
		if _, err := fs.Stat(root, path.Join(path.Dir(name), target)); err != nil {
			dead = append(dead, match[1])
		}
	}
	return dead
}

// The check itself sees a link that leads nowhere.
func TestDeadLinksAreSeen(t *testing.T) {
	text := "[a](../README.md#run-it) [b](#here) [c](https://go.dev/dl/) [d](nowhere.md) [e](../nowhere.md#x) [f](../netlab)"
	want := []string{"nowhere.md", "../nowhere.md#x"}
	if got := deadLinks(os.DirFS(".."), "docs/README.md", text); !slices.Equal(got, want) {
		t.Errorf("dead links are %q, want %q", got, want)
	}
}

// example is a scenario in a document, and below it the lines that are said to be its
// outcome.
var example = regexp.MustCompile("```json\n([^`]+)```\n\n((?:    .*\n)+)")

// TestDocumentedScenarios computes what docs/writing-a-scenario.md shows: the fates of
// each example, and the advice where it is shown.
func TestDocumentedScenarios(t *testing.T) {
	text, err := os.ReadFile("../docs/writing-a-scenario.md")
	fatal(t, err)
	examples := example.FindAllStringSubmatch(string(text), -1)
	if len(examples) != 6 {
		t.Errorf("there are %d examples, want 6", len(examples))
	}
	for _, e := range examples {
		s, err := scenario.Read(strings.NewReader(e[1]))
		fatal(t, err)
		outcome, err := predict.Run(s, scenario.Modern)
		fatal(t, err)
		fates, err := json.Marshal(outcome.Fates)
		fatal(t, err)
		want := string(fates) + "\n"
		shown := strings.ReplaceAll(e[2], "    ", "")
		if strings.Count(shown, "\n") > 1 {
			advice, err := predict.Advise(s, scenario.Modern)
			fatal(t, err)
			want += advice.String()
		}
		if shown != want {
			t.Errorf("docs/writing-a-scenario.md shows for %v\n%swant\n%s", s, shown, want)
		}
	}
}
