package main

import (
	"os"
	"strings"
	"testing"

	"github.com/rstlab/rstlab/netlab"
)

func TestMain(m *testing.M) {
	runProgram()
	if os.Getenv("GORACE") == "" { // under the race detector each process would else wait a second at its end
		os.Setenv("GORACE", "atexit_sleep_ms=0")
	}
	netlab.Main(m, roles...)
}

func TestParse(t *testing.T) {
	o, err := parse(strings.Fields("-only truth,held -json a -md b -rounds 7"))
	if err != nil || len(o.questions) != 2 || o.questions[0].name != "truth" || o.questions[1].name != "held" {
		t.Errorf("parse gives %d questions, %v, want truth and held", len(o.questions), err)
	}
	if o.json != "a" || o.markdown != "b" || o.rounds != 7 {
		t.Errorf("parse gives the files %q and %q and %d rounds, want a, b and 7", o.json, o.markdown, o.rounds)
	}
	if _, err := parse([]string{"-rounds", "0"}); err == nil || err.Error() != "-rounds is 0, want 1 or more" {
		t.Errorf("no rounds give %v, want that there must be one", err)
	}
}

// A question that no peer plays makes no peer be installed.
func TestPlayers(t *testing.T) {
	for only, want := range map[string]int{"million": 1, "held": len(tools), "million,held": len(tools)} {
		o, err := parse([]string{"-only", only})
		if got := o.players(); err != nil || len(got) != want || got[0].name != oursName {
			t.Errorf("-only %s: %d tools, %v, want %d, ours first", only, len(got), err, want)
		}
	}
}
