package loadclient

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// childVariable tells a process that it is a child, and runs clients for its parent.
const childVariable = "RSTLAB_SWARM"

// A child's descriptors, besides the standard three.
const (
	childOrders  = 3 // from the parent
	childReports = 4 // to it
)

// childCalled tells that this program calls Child, and so do the processes it makes.
var childCalled atomic.Bool

// Child must be the first call of main, or of TestMain, in a program whose swarms may
// have more clients than one process may have descriptors for:
//
//	func main() {
//		loadclient.Child()
//		...
//	}
//
// [Run] starts such a program again to run a part of the clients. There Child does that
// and exits; SIGINT and SIGTERM are the parent's to heed. In any other process it returns at once. A program that does not call it
// gets an error from Run when a swarm is too large.
func Child() {
	childCalled.Store(true)
	if os.Getenv(childVariable) == "" {
		return
	}
	// A Ctrl-C at the terminal goes to all processes of a program. The parent says what to
	// do then, and a child that has lost its parent ends.
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM)
	if err := child(os.NewFile(childOrders, "orders"), os.NewFile(childReports, "reports")); err != nil {
		fmt.Fprintln(os.Stderr, "swarm:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// childPlan is the part of a Config that goes to a child, with its defaults.
type childPlan struct {
	Engine   Engine
	Target   string
	Send     string
	Expect   string
	Address  string
	Waves    scenario.Arrivals
	Requests int
	Think    time.Duration
	Timeout  time.Duration
	Sources  []netip.Addr
	Shard    int
	Shards   int
}

// order is what a parent tells a child after the plan.
type order struct {
	Start  time.Duration // when to start, by the monotonic clock
	Cancel string        // why not to go on; empty: do
	Close  bool          // the connections, and report
}

// report is what a child tells its parent: that it is ready, that every client has
// its fate, then the clients, some at a time, and at last a report without any.
type report struct {
	Clients []Client
	Elapsed time.Duration
	Stalls  Stalls
	Err     string
}

// reportBatch is how many clients go into one report, so that little is copied at a time.
const reportBatch = 1000

// child runs the clients of one plan.
func child(orders, reports *os.File) error {
	in, out := gob.NewDecoder(orders), gob.NewEncoder(reports)
	var p childPlan
	if err := in.Decode(&p); err != nil {
		return fmt.Errorf("read plan: %w", err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	started, closing := make(chan time.Duration, 1), make(chan struct{})
	go follow(in, started, closing, cancel)
	cfg := Config{
		Engine: p.Engine, Target: p.Target, Send: p.Send, Expect: p.Expect, Waves: p.Waves, Requests: p.Requests, Think: p.Think,
		Timeout: p.Timeout, Sources: p.Sources, Shard: p.Shard, Shards: p.Shards,
		Decided: func() {
			if out.Encode(report{}) == nil { // else the parent is gone
				<-closing
			}
		},
	}
	result, err := runHere(ctx, cfg, p.Address, func(Config) (time.Time, error) {
		if err := out.Encode(report{}); err != nil {
			return time.Time{}, err
		}
		at, ok := <-started // which comes even if the run is cancelled
		if !ok {
			return time.Time{}, context.Cause(ctx)
		}
		return time.Now().Add(at - monotonic()), nil
	})
	if err != nil {
		return errors.Join(err, out.Encode(report{Err: err.Error()}))
	}
	for rest := result.Clients; len(rest) > 0; {
		n := min(len(rest), reportBatch)
		if err := out.Encode(report{Clients: rest[:n]}); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return out.Encode(report{Elapsed: result.Elapsed, Stalls: result.Stalls})
}

// follow does what the parent says, until it ends.
func follow(in *gob.Decoder, started chan<- time.Duration, closing chan<- struct{}, cancel context.CancelCauseFunc) {
	defer close(started)
	closed := false
	for {
		var o order
		err := in.Decode(&o)
		switch {
		case err != nil:
			cancel(errors.New("the parent process is gone"))
		case o.Cancel != "":
			cancel(errors.New(o.Cancel))
		case o.Close:
		default:
			started <- o.Start
		}
		if (err != nil || o.Close) && !closed {
			close(closing)
			closed = true
		}
		if err != nil {
			return
		}
	}
}
