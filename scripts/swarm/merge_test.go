package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// runShards runs the shards of one run beside each other, and gives their files.
func runShards(t *testing.T, shards int, args ...string) []string {
	t.Helper()
	start, folder := time.Now().Add(2*time.Second).Format(time.RFC3339Nano), t.TempDir()
	files := make([]string, shards)
	var running sync.WaitGroup
	for i := range shards {
		files[i] = filepath.Join(folder, fmt.Sprintf("%d.json", i))
		all := append([]string{"-shard", fmt.Sprintf("%d/%d", i, shards), "-start", start, "-json", files[i]}, args...)
		running.Go(func() {
			if status, stdout, stderr := swarm(all...); status != 0 {
				t.Errorf("shard %d: status %d, output\n%s%s", i, status, stdout, stderr)
			}
		})
	}
	running.Wait()
	return files
}

func TestMerge(t *testing.T) {
	t.Parallel()
	files := runShards(t, 3, "-clients", "20", "-gap", "1ms", hello(t))
	csv := filepath.Join(t.TempDir(), "all.csv")
	status, stdout, stderr := swarm("merge", "-json", "-", "-csv", csv, files[2], files[0], files[1])
	if status != 0 || !strings.Contains(stderr, ": served 20\n") || !strings.Contains(stderr, "clocks") {
		t.Errorf("status %d, and it says\n%s", status, stderr)
	}
	r := resultOf(t, stdout)
	if r.Shards != 1 || r.Processes != 3 || !reflect.DeepEqual(r.Fates, scenario.Fates{scenario.Served: 20}) {
		t.Errorf("shard of %d, in %d processes: %v, want the whole, in 3: 20 served", r.Shards, r.Processes, r.Fates)
	}
	for i, c := range r.Clients {
		if c.Number != i || c.Planned != time.Duration(i)*time.Millisecond {
			t.Errorf("record %d is of client %d, due at %v", i, c.Number, c.Planned)
		}
	}
	if n := strings.Count(readFile(t, csv), "\n"); n != 21 {
		t.Errorf("the CSV has %d lines, want 21", n)
	}
}

// What does not belong together is refused in one sentence that names the files.
func TestMergeRefused(t *testing.T) {
	t.Parallel()
	url := hello(t)
	files := runShards(t, 2, "-clients", "2", url)
	others := runShards(t, 2, "-clients", "3", url)
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte(`{"version":9}`), 0o600); err != nil {
		t.Fatal(err)
	}
	plan := func(file string) string { return resultOf(t, readFile(t, file)).Plan }
	for _, test := range []struct {
		args   []string
		status int
		want   string
	}{
		{nil, statusUsage, "there is nothing to merge: want the files that the shards wrote with -json"},
		{[]string{"-xml", "x"}, statusUsage, "flag provided but not defined: -xml"},
		{[]string{"-json", "-", "-csv", "-", text}, statusUsage, "-json and -csv both go to standard output: want a file for one of them"},
		{[]string{text, "-json", "x"}, statusUsage, `"-json" stands behind a result: want flags before them`},
		{[]string{"/nowhere"}, statusBad, "read a result: open /nowhere: no such file or directory"},
		{[]string{files[0], text}, statusBad, text + " is no result of a swarm: version of the result is 9, want 1"},
		{[]string{files[1]}, statusBad, files[1] + ": merge: shard 0 of 2 is missing"},
		{[]string{files[0], files[1], files[0]}, statusBad, files[0] + ", " + files[0] + ": merge: shard 0 is there twice"},
		{[]string{files[0], others[1]}, statusBad, files[0] + ", " + others[1] + ": merge: shard 1 is of plan " + plan(others[1]) +
			", and shard 0 of plan " + plan(files[0]) + ": want results of one run"},
		{[]string{"-json", "/nowhere/x", files[0], files[1]}, statusBad, "make room for the result: open /nowhere/x: no such file or directory"},
	} {
		status, stdout, stderr := swarm(append([]string{"merge"}, test.args...)...)
		if status != test.status || stdout != "" || stderr != "swarm: "+test.want+"\n" {
			t.Errorf("merge %q: status %d, output %s\n got %swant swarm: %s", test.args, status, stdout, stderr, test.want)
		}
	}
}

// A file of results keeps what it holds while a run is refused or fails, and is shorter
// afterwards if the new result is.
func TestResultReplacesTheFileAtTheEnd(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("before ", 1000)
	file := filepath.Join(t.TempDir(), "result")
	if err := os.WriteFile(file, []byte(long), 0o600); err != nil {
		t.Fatal(err)
	}
	url := hello(t)
	meet := []string{"-json", file, "-shard", "1/2", "-meet", "127.0.0.1:1", "-patience", "1ms", url}
	if status, _, stderr := swarm(meet...); status != statusBad || readFile(t, file) != long {
		t.Errorf("a meeting that fails: status %d, %s, and the file holds %q", status, stderr, readFile(t, file))
	}
	if status, _, stderr := swarm("-json", file, "-clients", "2", url); status != 0 {
		t.Fatalf("status %d, %s", status, stderr)
	}
	if text := readFile(t, file); strings.Contains(text, "before") || len(resultOf(t, text).Clients) != 2 {
		t.Errorf("the file holds %q, want a result of 2 clients alone", text)
	}
}
