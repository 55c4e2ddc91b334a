package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
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

// A file that cannot be written is known before anything is measured, and one that can be
// keeps what it holds until then.
func TestFilesAreMadeFirst(t *testing.T) {
	folder := t.TempDir()
	kept := filepath.Join(folder, "kept")
	if err := os.WriteFile(kept, []byte("before"), 0o644); err != nil {
		t.Fatal(err)
	}
	o := options{rounds: 1, json: kept, markdown: filepath.Join(folder, "missing", "page")}
	if _, err := o.run(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("run() = %v, want that the folder is missing", err)
	}
	if text, err := os.ReadFile(kept); string(text) != "before" || err != nil {
		t.Errorf("the other file holds %q, %v, want what it held", text, err)
	}
}

// A question that cannot be played is known before another is.
func TestPossible(t *testing.T) {
	lacks := question{name: "depth", possible: func() error { return errors.New("no water") }}
	_, err := options{rounds: 1, questions: []question{held, lacks}}.run(t.Context())
	if want := "question depth cannot be played here: no water; leave it out with -only"; err == nil || err.Error() != want {
		t.Errorf("run() = %v, want %s", err, want)
	}
}

// What a round that failed has measured does not count.
func TestKeep(t *testing.T) {
	a := Answer{Rows: []Row{rowOf(oursName, 1, 2, 3), rowOf(storyName, 4, 5)}}
	a.keep(2)
	if got, want := a.Rows, []Row{rowOf(oursName, 1, 2), rowOf(storyName, 4, 5)}; !reflect.DeepEqual(got[0].Samples, want[0].Samples) || !reflect.DeepEqual(got[1].Samples, want[1].Samples) {
		t.Errorf("kept %+v, want two samples each", got)
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
