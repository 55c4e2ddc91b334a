// Command bench holds the swarm against other load generators.
//
//	sudo go run ./scripts/bench [-rounds 5] [-only held,burst] [-json FILE] [-md FILE]
//
// It plays each question to each tool, one after another, in a lab of two hosts that is
// made anew each time: in every round each tool plays each question once, in another order
// than the round before. The server is the same for all, one thread that does nothing
// else, and it is the server or the packets in front of it that are counted, never what a
// tool says of itself.
//
// The peers are wrk, hey, ab, h2load, httperf and siege from Debian's packages and
// autocannon from npm. What is missing is installed, as root with apt, autocannon into a
// temporary folder; a peer that cannot be installed is skipped by name.
//
// The tables go to standard output as Markdown, or to the file after -md, and to the file
// after -json in full. The exit status is 1 if a line of the table does not hold in the
// median of the rounds, or if a question could not be played: then the rounds before it
// are written. It is 2 for a flag that makes no sense (go run makes 1 of both).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/scripts/internal/commandline"
)

// The exit statuses.
const (
	statusFails = 1 // a line of the table, or the run
	statusBad   = 2
)

// The tools and the server are started by way of this program, so the command line is
// looked at only where it is known to be the benchmark's.
func main() {
	runProgram()
	netlab.Main(bencher{}, roles...)
}

var roles = []netlab.Role{{Name: serverRole, Run: runServer}, {Name: measuredRole, Run: runMeasured}}

// programs are the clients of ours that are tools like the others. Their names are the
// first argument.
var programs = map[string]func(args []string) error{swarmProgram: runSwarm, storyProgram: runStory}

// runProgram does not return in a process that is one of ours.
func runProgram() {
	loadclient.Child()
	if len(os.Args) < 2 || programs[os.Args[1]] == nil {
		return
	}
	if err := programs[os.Args[1]](os.Args[2:]); err != nil {
		complain(err)
		os.Exit(statusFails)
	}
	os.Exit(0)
}

func complain(err error) { fmt.Fprintln(os.Stderr, "bench:", err) }

// options are what the command line asks for.
type options struct {
	rounds         int
	questions      []question
	json, markdown string // files; empty: none, and standard output
}

// bencher is what runs where labs can be made.
type bencher struct{}

func (bencher) Run() int {
	o, err := parse(os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		complain(err)
		return statusBad
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	holds, err := o.run(ctx)
	if err != nil {
		complain(err)
	}
	if err != nil || !holds {
		return statusFails
	}
	return 0
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.IntVar(&o.rounds, "rounds", 5, "how often each tool plays each question")
	flags.StringVar(&o.json, "json", "", "`file` for all that was measured")
	flags.StringVar(&o.markdown, "md", "", "`file` for the tables (default standard output)")
	var err error
	o.questions, err = questionList.Parse(flags, "sudo go run ./scripts/bench [-rounds 5] [-only held,burst] [-json FILE] [-md FILE]", "which, such as held,burst", args)
	if err == nil && o.rounds < 1 {
		err = fmt.Errorf("-rounds is %d, want 1 or more", o.rounds)
	}
	return o, err
}

var questionList = commandline.List[question]{All: questions, Name: func(q question) string { return q.name }, Flag: "only", What: "questions"}
