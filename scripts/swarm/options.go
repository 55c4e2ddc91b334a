package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// options are what the command line asks for.
type options struct {
	target       string
	engine       string // empty: the one that suits the target
	clients      *int   // nil: the default
	gap          time.Duration
	ramp         *time.Duration
	poisson      *uint64
	arrivals     scenario.Arrivals // nil: the clients
	requests     int
	think        time.Duration
	timeout      time.Duration
	send, expect string

	limits

	shard, shards int    // zero shards: not one of several
	meeting       string // HOST:PORT; empty: none
	patience      time.Duration
	start         time.Time // zero: at once, or as the meeting says

	outputs
}

// The defaults: a run that a small server of one's own bears.
const (
	defaultClients  = 100
	defaultPatience = 5 * time.Minute
)

var defaultLimits = limits{clients: 1000, rate: 1000, time: time.Minute}

const usage = `usage: go run ./scripts/swarm [flags] http://HOST:PORT/PATH
       go run ./scripts/swarm [flags] -expect TEXT [-send TEXT] tcp://HOST:PORT
       go run ./scripts/swarm merge [-json FILE] [-csv FILE] RESULT.json ...

Let it loose only on a server that is yours.

`

func parse(args []string, stdout io.Writer) (options, error) {
	o := options{requests: 1, timeout: 30 * time.Second, limits: defaultLimits, patience: defaultPatience}
	flags := o.flags()
	flags.SetOutput(io.Discard) // an error is said once, by whoever calls
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, usage)
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return o, err
	} else if err != nil {
		return o, usageError{err}
	}
	switch flags.NArg() {
	case 0:
		return o, usageErrorf("there is no target: want a URL behind the flags, such as http://198.18.0.2:8080/ (-h tells more)")
	case 1:
		o.target = flags.Arg(0)
	default:
		return o, usageErrorf("%q is one argument too many: want one URL, and flags before it", flags.Arg(1))
	}
	return o, o.check()
}

// flags binds the flags to the options.
func (o *options) flags() *flag.FlagSet {
	flags := flag.NewFlagSet("swarm", flag.ContinueOnError)
	flags.StringVar(&o.engine, "engine", "", "epoll or http (default epoll; for a tcp target http)")
	flags.Func("clients", fmt.Sprintf("`number` of clients (default %d)", defaultClients), value(&o.clients, strconv.Atoi))
	flags.DurationVar(&o.gap, "gap", 0, "`time` between two clients; 0 is all at once")
	flags.Func("ramp", "`time` between the last two clients, from -gap between the first two evenly", value(&o.ramp, time.ParseDuration))
	flags.Func("poisson", "`seed` of random gaps, -gap on average", value(&o.poisson, func(s string) (uint64, error) { return strconv.ParseUint(s, 10, 64) }))
	flags.Func("arrivals", "`waves` instead: [{\"clients\":64},{\"clients\":400,\"at\":\"500ms\",\"gap\":\"1ms\"}]", func(text string) (err error) {
		o.arrivals, err = scenario.ReadArrivals(strings.NewReader(text))
		return err
	})
	flags.IntVar(&o.requests, "requests", o.requests, "`number` of requests of each client")
	flags.DurationVar(&o.think, "think", 0, "`time` between an answer and the client's next request")
	flags.DurationVar(&o.timeout, "timeout", o.timeout, "`time` of a client, from its planned start to its last answer")
	flags.Func("send", "over tcp, the request, with \\r, \\n and \\x00 as in Go; without it the server speaks first", unescaped(&o.send))
	flags.Func("expect", "over tcp, how the answer begins", unescaped(&o.expect))

	flags.IntVar(&o.limits.clients, "max-clients", o.limits.clients, "most `clients`, all shards together")
	flags.IntVar(&o.limits.rate, "max-rate", o.limits.rate, "most `connections` within any second, all shards together")
	flags.DurationVar(&o.limits.time, "max-time", o.limits.time, "longest `time` from the start to the end of the last client")

	flags.Func("shard", "`I/N`: which part of the run this is, from 0/N", o.setShard)
	flags.StringVar(&o.meeting, "meet", "", "`HOST:PORT` where the shards meet: shard 0 listens there, the others look for it")
	flags.DurationVar(&o.patience, "patience", o.patience, "`time` to wait for the other shards")
	flags.Func("start", "`time` of the start, the same in each shard, such as 2026-11-24T10:00:00Z", func(text string) (err error) {
		o.start, err = time.Parse(time.RFC3339, text)
		return err
	})
	o.outputs.flags(flags)
	return flags
}

// value is a flag of which it matters whether it was given.
func value[T any](to **T, parse func(string) (T, error)) func(string) error {
	return func(text string) error {
		v, err := parse(text)
		*to = &v
		return err
	}
}

func unescaped(to *string) func(string) error {
	return func(typed string) (err error) {
		*to, err = loadclient.Unescape(typed)
		return err
	}
}

func (o *options) setShard(text string) error {
	which, of, found := strings.Cut(text, "/")
	i, errI := strconv.Atoi(which)
	n, errN := strconv.Atoi(of)
	if !found || errI != nil || errN != nil || n < 1 || i < 0 || i >= n {
		return errors.New("want a shard from zero and their number, such as 0/3, 1/3 and 2/3")
	}
	o.shard, o.shards = i, n
	return nil
}

// check finds what does not go together. The plan itself is checked where it is made.
func (o options) check() error {
	paced := o.gap != 0 || o.ramp != nil || o.poisson != nil
	switch {
	case o.arrivals != nil && (o.clients != nil || paced):
		return usageErrorf("-arrivals says all about the clients: want it without -clients, -gap, -ramp and -poisson")
	case o.ramp != nil && o.poisson != nil:
		return usageErrorf("-ramp and -poisson exclude each other")
	case o.ramp != nil && *o.ramp < 0:
		return usageErrorf("-ramp is %v: want zero or more", *o.ramp)
	case o.poisson != nil && o.gap <= 0:
		return usageErrorf("-poisson needs a -gap, which is the gap on average: want one such as 20ms")
	case o.patience <= 0:
		return usageErrorf("-patience is %v: want more than zero", o.patience)
	case o.meeting != "" && !o.start.IsZero():
		return usageErrorf("-meet and -start exclude each other: the shards agree on the start when they meet")
	case o.meeting != "" && o.shards == 0:
		return usageErrorf("-meet is for the parts of one run: want -shard too, such as -shard 0/3 in the first of three")
	case o.shards > 1 && o.meeting == "" && o.start.IsZero():
		return usageErrorf("-shard %d/%d needs a start that all have in common: want -meet HOST:PORT, or -start TIME, the same in each", o.shard, o.shards)
	case !o.start.IsZero() && time.Until(o.start) <= 0:
		return usageErrorf("-start is %v, which is over: want a time to come", o.start.Format(time.RFC3339))
	case o.json == "-" && o.csv == "-":
		return usageErrorf("-json and -csv both go to standard output: want a file for one of them")
	}
	if o.meeting != "" {
		if host, port, err := net.SplitHostPort(o.meeting); err != nil || host == "" || port == "" {
			return usageErrorf("-meet is %q: want the host of shard 0 and a port, such as swarm-0.swarm:7400", o.meeting)
		}
	}
	return nil
}
