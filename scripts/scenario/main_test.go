package main

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/predict"
	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/rstlab/rstlab/scripts/internal/captured"
)

func TestMain(m *testing.M) { netlab.Main(m) }

func TestParse(t *testing.T) {
	const (
		other = "-compare holds predict against another engine: -engine virtual or -engine real"
		alone = "-advise is computed by predict: leave -engine and -compare out"
	)
	for _, test := range []struct {
		args string
		want options
		err  string // empty: none
	}{
		{"", options{engine: "predict"}, ""},
		{"-engine predict", options{engine: "predict"}, ""},
		{"-engine virtual", options{engine: "virtual"}, ""},
		{"--engine=real", options{engine: "real"}, ""},
		{"-compare", options{engine: "virtual", compare: true}, ""},
		{"-compare -engine virtual", options{engine: "virtual", compare: true}, ""},
		{"-engine real -compare", options{engine: "real", compare: true}, ""},
		{"-advise", options{engine: "predict", advise: true}, ""},
		{"-advise -engine predict", options{engine: "predict", advise: true}, ""},

		{"-engine wire", options{}, `engine is "wire", want predict, virtual or real`},
		{"-engine Real", options{}, `engine is "Real", want predict, virtual or real`},
		{"scenario.json", options{}, `"scenario.json" is not a flag; the scenario comes from standard input: < scenario.json`},
		{"-compare real", options{}, `"real" is not a flag; the scenario comes from standard input: < scenario.json`},
		{"-compare -engine predict", options{}, other},
		{"-advise -engine real", options{}, alone},
		{"-advise -compare", options{}, alone},
		{"-advice", options{}, "flag provided but not defined: -advice"},
		{"-engine", options{}, "flag needs an argument: -engine"},
		{"-compare=maybe", options{}, `invalid boolean value "maybe" for -compare: parse error`},
		{"-h", options{}, flag.ErrHelp.Error()},
	} {
		t.Run(test.args, func(t *testing.T) {
			var got options
			var err error
			captured.Run(t, "", func() { got, err = parse(strings.Fields(test.args)) })
			text := ""
			if err != nil {
				got, text = options{}, err.Error()
			}
			if got != test.want || text != test.err {
				t.Errorf("parse(%s) = %+v, %q, want %+v, %q", test.args, got, text, test.want, test.err)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	stdout, stderr := captured.Run(t, "", func() {
		if _, err := parse([]string{"-help"}); !errors.Is(err, flag.ErrHelp) {
			t.Errorf("parse(-help) = %v, want %v", err, flag.ErrHelp)
		}
	})
	const want = `usage: go run ./scripts/scenario [-engine predict|virtual|real] [-compare] [-advise] < scenario.json
  -advise
    	print which backlog, gap and burst lose nobody
  -compare
    	hold predict against the engine
  -engine string
    	predict, virtual or real (default predict; with -compare virtual)
`
	if stdout != want || stderr != "" {
		t.Errorf("parse(-help) printed %q and %q, want %q and nothing", stdout, stderr, want)
	}
}

// overflow is a burst of three that meets a queue of two, whose third ACK is answered by
// nothing.
const overflow = `{"arrivals":[{"clients":3}],"rtt":"100ms","backlog":1,"accept":{"mode":"never"}}`

func TestRunPredict(t *testing.T) {
	var status int
	stdout, stderr := captured.Run(t, overflow, func() { status = options{engine: "predict"}.run(nil) })
	const want = `{
  "fates": {
    "ghost": 1,
    "kept": 0,
    "queued": 2,
    "refused": 0,
    "reset": 0,
    "served": 0,
    "syn_dropped": 0
  },
  "server": {
    "ListenDrops": 1,
    "ListenOverflows": 1,
    "PassiveOpens": 2,
    "SyncookiesRecv": 1,
    "SyncookiesSent": 1,
    "TCPReqQFullDoCookies": 1
  },
  "client": {
    "ActiveOpens": 3
  },
  "listener_drops": 1
}
`
	if status != 0 || stderr != "" || stdout != want {
		t.Errorf("run() = %d, %q, and it printed %s\nwant %s", status, stderr, stdout, want)
	}
}

func TestRunBadScenario(t *testing.T) {
	var status int
	stdout, stderr := captured.Run(t, `{"arrivals":[{"clients":0}],"backlog":1,"accept":{"mode":"never"}}`, func() {
		status = options{engine: "predict"}.run(nil)
	})
	if want := "scenario: arrivals: wave 0: clients is 0, want at least 1\n"; status != statusBad || stdout != "" || stderr != want {
		t.Errorf("run() = %d, and it printed %q and %q, want %d, nothing and %q", status, stdout, stderr, statusBad, want)
	}
}

func TestRunAdvise(t *testing.T) {
	var status int
	stdout, stderr := captured.Run(t, overflow, func() { status = options{engine: "predict", advise: true}.run(nil) })
	const want = "smallest backlog: 2 (with 1: queued 2, ghost 1)\n" +
		"smallest gap: this knob alone does not help\n" +
		"largest burst: 2 (with 3: queued 2, ghost 1)\n"
	if status != 0 || stderr != want {
		t.Errorf("run() = %d, %q, want 0, %q", status, stderr, want)
	}
	var advice predict.Advice
	if err := json.Unmarshal([]byte(stdout), &advice); err != nil || advice.Gap != nil || advice.Backlog == nil || advice.Backlog.At.Scenario.Backlog != 2 {
		t.Errorf("run() printed %s, which is %+v, %v", stdout, advice, err)
	}
}

func TestShowTellsOfTheError(t *testing.T) {
	for _, test := range []struct {
		name  string
		value any
		err   error
		want  string
	}{
		{"error", scenario.Outcome{}, errors.New("no route"), "scenario: no route\n"},
		{"not for JSON", make(chan int), nil, "scenario: json: unsupported type: chan int\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var status int
			stdout, stderr := captured.Run(t, "", func() { status = show(os.Stdout, test.value, test.err) })
			if status != statusDiffers || stdout != "" || stderr != test.want {
				t.Errorf("show() = %d, and it printed %q and %q, want %d, nothing and %q", status, stdout, stderr, statusDiffers, test.want)
			}
		})
	}
}
