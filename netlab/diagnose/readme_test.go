package diagnose

import (
	"os"
	"strings"
	"testing"
)

// The table in README.md has a row for each cause, and no other.
func TestREADMEListsEveryCause(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(text)) {
		name, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " |")
		switch _, known := about[Cause(name)]; {
		case known:
			rows++
		case strings.HasPrefix(line, "| ") && name != "cause":
			t.Errorf("README.md has a row for %q, which is no cause", name)
		}
	}
	if rows != len(about) {
		t.Errorf("README.md has rows for %d causes, want %d", rows, len(about))
	}
}
