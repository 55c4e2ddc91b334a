package loadclient

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"
)

// processes is in how many processes the shard's clients run: this one alone, or so many
// children.
func (c Config) processes() (int, error) {
	clients := c.ownClients()
	room, _, err := c.Engine.room()
	if err != nil || clients <= room || c.Dial != nil {
		return 1, err
	}
	fresh := room // a child has fewer descriptors open than its parent, or as many
	switch {
	case fresh == 0:
		return 0, fmt.Errorf("there are no descriptors left for %d clients: type `ulimit -n %d` first", clients, clients)
	case c.Control != nil:
		need := clients*c.Engine.descriptors() + spareDescriptors
		return 0, fmt.Errorf("%d clients need some %d descriptors, and this process may have them for %d: type `ulimit -n %d` first, or in a program set Within in place of Control", clients, need, room, need)
	case !childCalled.Load():
		return 0, fmt.Errorf("%d clients need more than one process, which has descriptors for %d: call loadclient.Child first in main or TestMain", clients, room)
	}
	return (clients + fresh - 1) / fresh, nil
}

// childProcess is one that runs a part of the clients.
type childProcess struct {
	cmd     *exec.Cmd
	plan    childPlan
	orders  *gob.Encoder
	reports *gob.Decoder
	files   []*os.File  // this side's ends
	forget  func() bool // stops telling of ctx; nil with cmd

	result Result
	err    error
}

// childStart is how long before the start children are told of it.
const childStart = 50 * time.Millisecond

// runChildren runs the shard's clients in child processes, each of them a shard of the
// shard: child k of m has the clients k, k+m, ... of those that are this shard's.
//
// A child that fails is an error, and its clients' fate a local error, so that everybody
// is accounted for.
func runChildren(ctx context.Context, cfg Config, address string, processes int) (Result, error) {
	children := make([]*childProcess, processes)
	for k := range children {
		children[k] = &childProcess{plan: childPlan{
			Engine: cfg.Engine, Target: cfg.Target, Send: cfg.Send, Expect: cfg.Expect, Address: address, Waves: cfg.Waves,
			Requests: cfg.Requests, Think: cfg.Think, Timeout: cfg.Timeout, Sources: cfg.Sources, Shard: cfg.Shard + k*cfg.Shards, Shards: cfg.Shards * processes,
		}}
	}
	defer func() {
		for _, child := range children {
			child.close()
		}
	}()
	each(children, func(c *childProcess) { c.err = c.begin(ctx, cfg.Within) })
	start, err := time.Now().Add(childStart), firstOf(children)
	if err == nil && !cfg.Start.IsZero() {
		start, err = soon(cfg)
	}
	if err != nil {
		return Result{}, err // closing the orders ends the children
	}
	at := monotonic() + time.Until(start)
	each(children, func(c *childProcess) {
		c.order(order{Start: at})
		c.err = c.listen(&report{})
	})
	if cfg.Decided != nil {
		cfg.Decided()
	}
	each(children, func(c *childProcess) {
		c.order(order{Close: true})
		c.gather(cfg, start)
	})
	results := make([]Result, processes)
	for k, child := range children {
		results[k] = child.result
	}
	result, err := join(results, cfg.Shard, cfg.Shards)
	result.Plan = cfg.digest()
	result.Stalls = Stalls{} // all saw the same machine: the worst that one of them saw
	for _, r := range results {
		result.Stalls = result.Stalls.or(r.Stalls)
	}
	return result, errors.Join(firstOf(children), err)
}

// each runs f for all children at once.
func each(children []*childProcess, f func(*childProcess)) {
	var all sync.WaitGroup
	for _, child := range children {
		all.Go(func() { f(child) })
	}
	all.Wait()
}

func firstOf(children []*childProcess) error {
	for k, child := range children {
		if child.err != nil {
			return fmt.Errorf("child process %d of %d: %w", k+1, len(children), child.err)
		}
	}
	return nil
}

// begin starts the process, in the namespace that within leads to, and waits until its
// clients are ready. From then on it learns when ctx is done.
func (c *childProcess) begin(ctx context.Context, within func(func() error) error) error {
	binary, err := os.Executable()
	if err != nil {
		return err
	}
	ordersIn, ordersOut, err := os.Pipe()
	if err != nil {
		return err
	}
	reportsIn, reportsOut, err := os.Pipe()
	if err != nil {
		return errors.Join(err, ordersIn.Close(), ordersOut.Close())
	}
	c.files = []*os.File{ordersOut, reportsIn}
	c.orders, c.reports = gob.NewEncoder(ordersOut), gob.NewDecoder(reportsIn)
	cmd := exec.Command(binary)
	cmd.Env = append(os.Environ(), childVariable+"=1")
	cmd.Stderr = os.Stderr
	cmd.ExtraFiles = []*os.File{ordersIn, reportsOut}
	start := cmd.Start
	if within != nil {
		start = func() error { return within(cmd.Start) }
	}
	err = errors.Join(start(), ordersIn.Close(), reportsOut.Close())
	if err != nil {
		return err
	}
	c.cmd = cmd
	c.order(c.plan)
	c.forget = context.AfterFunc(ctx, func() { c.order(order{Cancel: context.Cause(ctx).Error()}) })
	return c.listen(&report{})
}

// order tells the child something. If that fails the child has ended, and the next
// report that does not come says so.
func (c *childProcess) order(what any) {
	if c.cmd != nil {
		_ = c.orders.Encode(what)
	}
}

// listen waits for the child's next report.
func (c *childProcess) listen(r *report) error {
	if err := c.reports.Decode(r); err != nil {
		return fmt.Errorf("it ended without a report: %w", err)
	}
	if r.Err != "" {
		return errors.New(r.Err)
	}
	return nil
}

// gather takes the child's clients over. What it does not report is a local error.
func (c *childProcess) gather(cfg Config, start time.Time) {
	own := cfg
	own.Shard, own.Shards = c.plan.Shard, c.plan.Shards
	clients := newSwarm(own, "").clients
	texts := map[string]string{}
	got, last := 0, report{}
	for c.err == nil {
		last = report{}
		if c.err = c.listen(&last); c.err != nil || len(last.Clients) == 0 {
			break
		}
		for i := range last.Clients {
			text := last.Clients[i].Error
			if _, ok := texts[text]; !ok && len(texts) < manyTexts {
				texts[text] = text
			}
			if shared, ok := texts[text]; ok {
				last.Clients[i].Error = shared
			}
		}
		got += copy(clients[got:], last.Clients)
	}
	elapsed := last.Elapsed
	if c.err != nil {
		elapsed = time.Since(start)
		for i := range clients[got:] {
			clients[got+i].end(elapsed, failure{err: setupError{fmt.Errorf("child process: %w", c.err)}}, false)
		}
	}
	c.result = own.result(start, clients, elapsed)
	c.result.Stalls = last.Stalls
}

// close ends the child, if it has not ended, and waits for it.
func (c *childProcess) close() {
	if c.forget != nil {
		c.forget()
	}
	for _, file := range c.files {
		_ = file.Close() // a pipe's
	}
	if c.cmd != nil {
		_ = c.cmd.Wait() // what went wrong it has said, or is told by what it did not say
	}
}
