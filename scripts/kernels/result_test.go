package main

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// text is what a test binary prints with -test.v=test2json, some of it.
const text = "\x16=== RUN   TestExact\n" +
	"    exact_test.go:40: calibration: {\"syn_queue_extra\":0,\"linear_syn_timeouts\":4,\"tick_ns\":4000000}\n" +
	"    exact_test.go:36: exact: 3 of 3 scenarios equal in 5s\n" +
	"\x16--- PASS: TestExact (5.00s)\n" +
	"\x16=== RUN   TestExactTUN\n" +
	"    exact_test.go:99: no TUN device;\n        type: modprobe tun\n" +
	"\x16--- SKIP: TestExactTUN (0.00s)\n" +
	"\x16=== RUN   TestExactBad\n    exact_test.go:9: it is bad\n\x16--- FAIL: TestExactBad (0.00s)\n" +
	"\x16FAIL\n"

func readText(t *testing.T, output string) result {
	t.Helper()
	events, err := toEvents(t.Context(), output)
	if err != nil {
		t.Fatal(err)
	}
	r, err := readResult(suites[0], section{"exact", output, true, 1, time.Second}, strings.NewReader(string(events)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestReadResult(t *testing.T) {
	r := readText(t, text)
	if r.headline != "3 of 3 scenarios equal" {
		t.Errorf("headline is %q", r.headline)
	}
	if r.measured == nil || *r.measured != (scenario.Calibration{LinearSYNTimeouts: 4, Tick: 4 * time.Millisecond}) {
		t.Errorf("calibration is %+v", r.measured)
	}
	if r.count("pass") != 1 || r.count("skip") != 1 || r.count("fail") != 1 || len(r.tests) != 3 {
		t.Errorf("tests are %v", r.tests)
	}
	if got := r.reason("TestExactTUN"); got != "no TUN device; type: modprobe tun" {
		t.Errorf("reason is %q", got)
	}
}

// played is a column in which the tests came out like this.
func played(kernel string, status int, tests map[string]string) column {
	r := result{suite: "exact", tests: tests, output: map[string]string{}, ended: true, status: status}
	if tests["A/skipped"] == "skip" {
		r.output["A/skipped"] = "    a_test.go:1: no such thing\n"
	}
	return column{kernel: kernel, results: []result{r}}
}

func TestJudge(t *testing.T) {
	here := played("here", 0, map[string]string{"A": "pass", "A/good": "pass", "A/0": "pass", "A/1": "pass"})
	for name, c := range map[string]struct {
		there column
		want  string
	}{
		"the same, on fewer CPUs": {played("k", 0, map[string]string{"A": "pass", "A/good": "pass", "A/0": "pass"}), ""},
		"a skip with a reason":    {played("k", 0, map[string]string{"A": "pass", "A/good": "pass", "A/skipped": "skip"}), "here: exact: A/skipped ran under another kernel and is missing"},
		"a skip without":          {played("k", 0, map[string]string{"A": "pass", "A/good": "skip"}), "k: exact: A/good is skipped without a reason"},
		"a part of a skipped one": {played("k", 0, map[string]string{"A": "skip"}), "k: exact: A is skipped without a reason"},
		"a missing test":          {played("k", 0, map[string]string{"A": "pass"}), "k: exact: A/good ran under another kernel and is missing"},
		"a failed part":           {played("k", 1, map[string]string{"A": "fail", "A/good": "fail"}), "k: exact: A/good failed\n"},
		"a failed share of work":  {played("k", 1, map[string]string{"A": "fail", "A/good": "pass", "A/0": "fail"}), "k: exact: A/0 failed\n"},
		"a status of its own":     {played("k", 2, map[string]string{"A": "pass", "A/good": "pass"}), "k: exact: it ended with status 2, and no test failed\n"},
		"no suite":                {column{kernel: "k"}, "k: the suite exact was not run"},
		"a machine that failed":   {column{kernel: "k", err: errors.New("panic"), results: here.results}, "k: panic"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if err := judge([]column{here, c.there}); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("judged %q, want %q", got, c.want)
			}
		})
	}
	stuck := played("k", 2, map[string]string{"A": "pass", "A/good": "pass"})
	stuck.results[0].output["A/0"] = "panic: no room\n"
	if err := judge([]column{here, stuck}); err == nil || !strings.HasPrefix(err.Error(), "k: exact: A/0 did not come to its end\npanic: no room") {
		t.Errorf("a test without an end is judged: %v", err)
	}
	half := here
	half.results = []result{{suite: "exact", tests: here.results[0].tests, whole: "panic: no memory\n"}}
	if err := judge([]column{here, half}); err == nil || err.Error() != "here: exact: it did not come to its end\npanic: no memory" {
		t.Errorf("a suite without an end is judged: %v", err)
	}
}

func TestDifferences(t *testing.T) {
	here := played("here", 0, map[string]string{"A": "pass", "A/skipped": "skip", "A/good": "pass"}).results[0]
	there := played("k", 0, map[string]string{"A": "pass", "A/skipped": "pass", "A/good": "skip"}).results[0]
	there.output = map[string]string{"A/good": "    a_test.go:1: there is no tracefs\n"}
	here.measured = &scenario.Calibration{SYNQueueExtra: 1, LinearSYNTimeouts: 4, Tick: 4 * time.Millisecond}
	there.measured = &scenario.Calibration{Tick: 4 * time.Millisecond}
	got := strings.Join(differences(&here, there), "\n")
	want := "the SYN queue holds limit+0 half-open connections, here limit+1\n" +
		"a client repeats its SYN 0 times before it doubles the time, here 4 times\n" +
		"not run: 1 tests: there is no tracefs\n" +
		"run in addition: 1 tests, which this machine leaves out: no such thing"
	if got != want {
		t.Errorf("differences are\n%s\nwant\n%s", got, want)
	}
	if none := differences(&here, here); none != nil {
		t.Errorf("differences from itself are %v", none)
	}
}

func TestTable(t *testing.T) {
	columns := []column{played("here", 0, map[string]string{"A": "pass"}), played("6.1", 0, map[string]string{"A": "skip"}), {kernel: "6.12", err: errors.New("panic")}}
	columns[1].results[0].output = map[string]string{"A": "    a_test.go:1: no such thing\n"}
	const want = "" +
		"kernel  suite  passed  took  result              differs\n" +
		"here    exact  1 of 1  0s                        \n" +
		"6.1     exact  0 of 1  0s                        [1]\n" +
		"6.12                         its machine failed  \n" +
		"[1] 6.1, exact: not run: 1 tests: no such thing\n"
	if got := table(columns); got != want {
		t.Errorf("table is\n%s\nwant\n%s", got, want)
	}
}

func TestMissingPrograms(t *testing.T) {
	look := func(name string) (string, error) {
		if name == qemu || name == "xz" {
			return "", exec.ErrNotFound
		}
		return "/bin/" + name, nil
	}
	const want = "qemu-system-x86_64, xz cannot be found; on Debian or Ubuntu type: sudo apt-get install qemu-system-x86 xz-utils"
	if err := missingPrograms(look); err == nil || err.Error() != want {
		t.Errorf("missing: %v, want %s", err, want)
	}
	if err := missingPrograms(func(string) (string, error) { return "", nil }); err != nil {
		t.Errorf("nothing is missing: %v", err)
	}
}

func TestChooseSuites(t *testing.T) {
	chosen, err := chooseSuites([]string{"story", "exact"})
	if err != nil || len(chosen) != 2 || chosen[0].Name != "story" || chosen[1].Name != "exact" {
		t.Errorf("chose %v, %v", chosen, err)
	}
	if _, err := chooseSuites([]string{"storm"}); err == nil || err.Error() != `there is no suite "storm"; choose from exact,causes,story` {
		t.Errorf("a suite that is not there: %v", err)
	}
}

// A program's complaint is in the error.
func TestOutput(t *testing.T) {
	_, err := output(context.Background(), t.TempDir(), "ls", "--no-such-option")
	if err == nil || !strings.Contains(err.Error(), "no-such-option") {
		t.Errorf("error is %v", err)
	}
}

func TestArguments(t *testing.T) {
	s := suite{tests: "^A", whole: []string{"-w"}, fewer: []string{"-f"}}
	for _, c := range []struct {
		emulated, full bool
		want           string
	}{
		{true, false, "-test.v=test2json -test.timeout=5m -test.run=^A -w -test.parallel=1 -f"},
		{true, true, "-test.v=test2json -test.timeout=5m -test.run=^A -w -test.parallel=1"},
		{false, false, "-test.v=test2json -test.timeout=5m -test.run=^A -w"},
	} {
		if got := strings.Join(s.inMachine(c.emulated, c.full).Args, " "); got != c.want {
			t.Errorf("arguments with emulated=%v, full=%v are %s, want %s", c.emulated, c.full, got, c.want)
		}
	}
}
