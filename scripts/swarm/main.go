// Command swarm lets many clients come to a server of yours, each with a connection of
// its own, and accounts for every one of them.
//
//	go run ./scripts/swarm [flags] http://HOST:PORT/PATH
//	go run ./scripts/swarm [flags] -expect TEXT [-send TEXT] tcp://HOST:PORT
//	go run ./scripts/swarm merge [-json FILE] [-csv FILE] RESULT.json ...
//
// The clients come from this machine's own network, and no root is needed. They come all
// at once, or -gap apart, at a -ramp or as a -poisson process, or in the waves that
// -arrivals has as in a scenario:
//
//	[{"clients":64,"at":"0s","gap":"0s"},{"clients":800,"at":"500ms"}]
//
// A run states its limits and refuses a plan beyond them before a packet is sent:
// -max-clients, -max-rate (connections within any second) and -max-time.
//
// It prints what became of the clients; -json and -csv write each one's record. The exit
// status is 0 when the run took place, whatever became of the clients; 1 if it could not,
// or a result could not be written; 2 for what makes no sense or is beyond the limits; and
// 130 or 143 when SIGINT or SIGTERM ended it, with every client accounted for and the
// results written (go run makes 1 of them all).
//
// A run of several machines has a process on each, with the same flags but for its -shard.
// They agree on the start at a -meet, or are told it by -start. The subcommand merge joins
// what they wrote with -json.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/scripts/swarm/internal/meeting"
)

// The exit statuses, besides those of signals.
const (
	statusBad   = 1
	statusUsage = 2
)

func main() {
	loadclient.Child() // a part of the clients, where they are more than descriptors
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is the command without its process.
func run(args []string, stdout, stderr io.Writer) int {
	do := load
	if len(args) > 0 && args[0] == "merge" {
		do, args = merge, args[1:]
	}
	err := do(args, stdout, stderr)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	fmt.Fprintln(stderr, "swarm:", err)
	if stopped, ok := errors.AsType[interruption](err); ok {
		return stopped.status()
	}
	if _, ok := errors.AsType[usageError](err); ok {
		return statusUsage
	}
	return statusBad
}

// usageError is about what was typed.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usageErrorf(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

// load runs the swarm.
func load(args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stdout)
	if err != nil {
		return err
	}
	p, err := o.plan()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	results, err := o.open(stdout)
	if err != nil {
		return err
	}
	say := stdout
	if results.takeStdout() {
		say = stderr
	}
	fmt.Fprintln(say, p)
	if err := o.meet(ctx, &p, say); err != nil {
		return errors.Join(err, results.close())
	}
	p.Progress = stderr
	result, err := loadclient.Run(ctx, p.Config)
	switch {
	case len(result.Clients) > 0:
		tell(say, result)
		err = errors.Join(err, results.write(result))
	case ctx.Err() != nil:
		err = fmt.Errorf("%w before any client was made", context.Cause(ctx))
	}
	return errors.Join(err, results.close())
}

// meet lets the shards agree on the start, if there is a meeting.
func (o options) meet(ctx context.Context, p *plan, say io.Writer) error {
	if o.meeting == "" || p.Shards < 2 {
		return nil
	}
	fmt.Fprintf(say, "meet     shard %d of %d, at %s for %v at most\n", p.Shard, p.Shards, o.meeting, o.patience)
	agreed, err := meeting.Meet(ctx, meeting.Seat{
		Address: o.meeting, Shard: p.Shard, Shards: p.Shards, Plan: p.Plan() + " of " + p.words(), Patience: o.patience, Lead: p.lead(),
		Say: func(sentence string) { fmt.Fprintln(say, "meet    ", sentence) },
	})
	if err != nil {
		return err
	}
	p.Start, p.ClockAhead, p.ClockError = agreed.Start, agreed.Ahead, agreed.Error
	fmt.Fprintf(say, "meet     all %d are here: the run starts in %v; %s\n", p.Shards,
		time.Until(agreed.Start.Add(agreed.Ahead)).Round(time.Millisecond), clock(p.Shard, agreed))
	return nil
}

// clock puts into words which clock counts, and how well it is known.
func clock(shard int, a meeting.Agreement) string {
	known := fmt.Sprintf(", which is known to %v", a.Error.Round(time.Microsecond))
	ahead := a.Ahead.Round(time.Microsecond)
	switch {
	case shard == 0:
		return "this clock counts" + known
	case ahead < 0:
		return fmt.Sprintf("this clock is %v behind that of shard 0%s", -ahead, known)
	}
	return fmt.Sprintf("this clock is %v ahead of that of shard 0%s", ahead, known)
}
