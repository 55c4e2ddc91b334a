package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// plan is a run that is within its limits.
type plan struct {
	loadclient.Config
	size   size
	limits limits
	pace   string // in words
	why    string // the engine was not asked for
}

// plan makes the plan, or says in one sentence what is wrong with it or beyond the limits.
func (o options) plan() (plan, error) {
	p := plan{limits: o.limits, Config: loadclient.Config{
		Target: o.target, Send: o.send, Expect: o.expect, Clients: defaultClients, Gap: o.gap,
		Requests: o.requests, Think: o.think, Timeout: o.timeout, Start: o.start, Shard: o.shard, Shards: max(1, o.shards),
	}}
	if err := p.setEngine(o.engine); err != nil {
		return p, usageError{err}
	}
	if o.clients != nil {
		p.Clients = *o.clients
	}
	if o.arrivals != nil {
		p.Clients, p.Gap, p.Waves = 0, 0, o.arrivals
	}
	if err := p.check(o.meeting != ""); err != nil {
		return p, usageError{err}
	}
	if n := p.Clients + p.Waves.Clients(); n > mostClients {
		return p, usageErrorf("the plan has %d clients: want at most %d", n, mostClients)
	}
	p.pace = o.spread(&p.Config)
	p.size = sizeOf(p.Waves, p.Timeout)
	if err := o.limits.refuse(p.size); err != nil {
		return p, usageError{err}
	}
	return p, nil
}

// setEngine takes the engine by its name, or the one that suits the target.
func (p *plan) setEngine(name string) error {
	switch {
	case name != "":
		return p.Engine.UnmarshalText([]byte(name))
	case strings.HasPrefix(p.Target, "tcp://"):
		p.Engine, p.why = loadclient.HTTP, ", since epoll speaks only HTTP"
	default:
		p.Engine = loadclient.Epoll
	}
	return nil
}

// check asks loadclient. A meeting sets a start later.
func (p *plan) check(meeting bool) error {
	c := p.Config
	if meeting {
		c.Start = time.Unix(1, 0)
	}
	err := c.Validate()
	if bad, ok := errors.AsType[loadclient.FieldError](err); ok && flagOf[bad.Field] != "" {
		return fmt.Errorf("%s%w", flagOf[bad.Field], bad.Err)
	}
	return err
}

// flagOf is where the value of a field comes from.
var flagOf = map[string]string{
	"Target": "the target", "Engine": "-engine", "Clients": "-clients", "Gap": "-gap", "Waves": "-arrivals", "Requests": "-requests",
	"Think": "-think", "Timeout": "-timeout", "Send": "-send", "Expect": "-expect", "Shards": "the number of shards in -shard",
}

// spread turns the clients into waves, and says so in words.
func (o options) spread(c *loadclient.Config) (pace string) {
	clients, gap := c.Clients, c.Gap
	c.Clients, c.Gap = 0, 0
	switch {
	case c.Waves != nil:
		return fmt.Sprintf("in %d waves", len(c.Waves))
	case o.ramp != nil:
		c.Waves = scenario.Ramp(clients, gap, *o.ramp)
		return fmt.Sprintf("first %v apart, last %v", gap, *o.ramp)
	case o.poisson != nil:
		c.Waves = scenario.Poisson(clients, gap, *o.poisson)
		return fmt.Sprintf("%v apart on average, Poisson of seed %d", gap, *o.poisson)
	}
	c.Waves = scenario.Arrivals{{Clients: clients, Gap: gap}}
	if gap > 0 {
		return fmt.Sprintf("%v apart", gap)
	}
	return "at once"
}

// words are the plan in a line.
func (p plan) words() string {
	requests := ""
	if p.Requests > 1 {
		requests = fmt.Sprintf(", %d requests each", p.Requests)
	}
	return fmt.Sprintf("%d clients of %s, %s%s, %v for each, engine %v%s", p.size.clients, p.Target, p.pace, requests, p.Timeout, p.Engine, p.why)
}

// String is what is about to happen, and what may.
func (p plan) String() string {
	shard := ""
	if p.Shards > 1 {
		shard = fmt.Sprintf("; this is shard %d of %d", p.Shard, p.Shards)
	}
	return fmt.Sprintf("plan     %s%s\nlimits   %d of %d clients, %d of %d connections within a second, %v of %v", p.words(), shard,
		p.size.clients, p.limits.clients, p.size.rate, p.limits.rate, p.size.time, p.limits.time)
}

// The time from a meeting to the start: for everybody to hear of it, and to make each
// client.
const (
	leadTime   = 2 * time.Second
	clientTime = 100 * time.Microsecond
)

func (p plan) lead() time.Duration {
	return leadTime + clientTime*time.Duration(p.size.clients/p.Shards)
}
