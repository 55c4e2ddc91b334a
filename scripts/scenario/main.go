// Command scenario reads a scenario in JSON and says what becomes of it.
//
//	go run ./scripts/scenario [-engine predict|virtual|real] [-compare] < scenario.json
//	go run ./scripts/scenario -advise < scenario.json
//
// A scenario is written like this; what may be left out is in [brackets]:
//
//	{"arrivals":[{"clients":64,"at":"0s","gap":"0s"},{"clients":800,"at":"500ms"}],
//	 "backlog":64, "accept":{"mode":"every","every":"2ms"},
//	 ["rtt":"100ms", "somaxconn":4096, "abort_on_overflow":true, "syncookies":1,
//	  "max_syn_backlog":4096, "synack_retries":5, "write":"0s", "ipv6":false,
//	  "listen_again":[{"at":"1s","backlog":16}], "close_listener":"2s",
//	  "syncookies_off":"3s", "horizon":"30s"]}
//
// The modes of accept are never, now, every (with "every"), from (with "from") and
// paused (with "paused":[{"from":"1s","to":"2s"}]).
//
// The engine predict computes the outcome, virtual plays it on the kernel in virtual
// time, and real plays it in real time with the HTTP front, the RPC backend and a swarm
// of keep-alive clients. With -compare, predict and the engine (virtual, if none is
// named) are held against each other, and the exit status is 1 if they differ.
//
// With a horizon the kernel's timers play too: predict computes them, and virtual and
// real take the horizon's time. Bursts come out exactly; clients that come one by one
// repeat their SYNs in batches whose phase nobody knows, and counts differ by a part of
// a batch.
//
// The outcome is printed as JSON, with -advise the advice, and the same in words to
// standard error. The exit status is 1 if engines differ or cannot play, and 2 for a
// scenario or flag that makes no sense (go run makes 1 of both).
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/predict"
	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/rstlab/rstlab/scripts/internal/program"
)

// options are what the command line asks for.
type options struct {
	engine          string
	compare, advise bool
}

func main() {
	o, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(0)
	}
	if err != nil {
		complain(err)
		os.Exit(statusBad)
	}
	if o.engine == "predict" {
		os.Exit(o.run(nil))
	}
	netlab.Main(player{o}) // as root of a user namespace, if need be
}

// player is what runs where labs can be made.
type player struct{ options }

func (p player) Run() (status int) {
	lab := &program.Lab{Name: "scenario"}
	defer func() {
		if lab.Close(recover()) {
			status = statusDiffers
		}
	}()
	return p.run(lab)
}

// The exit statuses.
const (
	statusDiffers = 1 // or it could not be played
	statusBad     = 2
)

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("scenario", flag.ContinueOnError)
	flags.StringVar(&o.engine, "engine", "", "predict, virtual or real (default predict; with -compare virtual)")
	flags.BoolVar(&o.compare, "compare", false, "hold predict against the engine")
	flags.BoolVar(&o.advise, "advise", false, "print which backlog, gap and burst lose nobody")
	flags.SetOutput(io.Discard) // errors are told once, by main
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		fmt.Println("usage: go run ./scripts/scenario [-engine predict|virtual|real] [-compare] [-advise] < scenario.json")
		flags.SetOutput(os.Stdout)
		flags.PrintDefaults()
		return o, err
	} else if err != nil {
		return o, err
	}
	if o.engine == "" {
		o.engine = map[bool]string{false: "predict", true: "virtual"}[o.compare]
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("%q is not a flag; the scenario comes from standard input: < scenario.json", flags.Arg(0))
	case o.engine != "predict" && o.engine != "virtual" && o.engine != "real":
		return o, fmt.Errorf("engine is %q, want predict, virtual or real", o.engine)
	case o.compare && o.engine == "predict":
		return o, errors.New("-compare holds predict against another engine: -engine virtual or -engine real")
	case o.advise && (o.compare || o.engine != "predict"):
		return o, errors.New("-advise is computed by predict: leave -engine and -compare out")
	}
	return o, nil
}

// run reads the scenario, does what was asked for and gives the exit status.
func (o options) run(lab netlab.TB) int {
	s, err := scenario.Read(os.Stdin)
	if err != nil {
		complain(err)
		return statusBad
	}
	if o.advise {
		advice, err := predict.Advise(s, scenario.Modern)
		status := show(os.Stdout, advice, err)
		if status == 0 {
			fmt.Fprint(os.Stderr, advice)
		}
		return status
	}
	e, err := open(lab, o.engine, s)
	if err != nil {
		complain(err)
		return statusDiffers
	}
	outcome, err := e.play(e.scenario)
	if err != nil || !o.compare {
		return show(os.Stdout, outcome, err)
	}
	predicted, err := predict.Run(e.scenario, e.calibration)
	if err != nil {
		return show(os.Stdout, nil, err)
	}
	if d := scenario.Differences(e.scenario, predicted, outcome); d != nil {
		fmt.Fprintf(os.Stderr, "predict and %s differ:\n%s", o.engine, scenario.DifferenceTable("predict", o.engine, d))
		return statusDiffers
	}
	fmt.Fprintf(os.Stderr, "predict and %s agree\n", o.engine)
	return show(os.Stdout, outcome, nil)
}

// show prints a value as JSON, or the error.
func show(to io.Writer, value any, err error) int {
	if err == nil {
		encoder := json.NewEncoder(to)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(value)
	}
	if err != nil {
		complain(err)
		return statusDiffers
	}
	return 0
}

func complain(err error) { fmt.Fprintln(os.Stderr, "scenario:", err) }
