package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// limits are what a plan may not exceed, all shards together.
type limits struct {
	clients int
	rate    int // connections within any second
	time    time.Duration
}

// size is what a plan comes to, in the same terms.
type size limits

// mostClients are as many as can be counted one by one.
const mostClients = 10_000_000

// sizeOf counts as the rate all clients that are due within a second: those of a burst
// all together.
func sizeOf(waves scenario.Arrivals, timeout time.Duration) size {
	s := size{clients: waves.Clients(), time: waves.Last() + timeout}
	if s.time < timeout {
		s.time = math.MaxInt64
	}
	due := make([]time.Duration, 0, s.clients)
	for _, at := range waves.Due() {
		due = append(due, at)
	}
	slices.Sort(due)
	first := 0
	for i, at := range due {
		for at-due[first] >= time.Second {
			first++
		}
		s.rate = max(s.rate, i-first+1)
	}
	return s
}

// refuse says in one sentence what of the plan is beyond the limits, and what to type if
// that is meant; nil: nothing is.
func (l limits) refuse(s size) error {
	var beyond, say []string
	for _, one := range []struct {
		is         bool
		what, flag string
		limit, ask any
	}{
		{s.clients > l.clients, fmt.Sprintf("%d clients", s.clients), "-max-clients", l.clients, s.clients},
		{s.rate > l.rate, fmt.Sprintf("%d connections within a second", s.rate), "-max-rate", l.rate, s.rate},
		{s.time > l.time, fmt.Sprintf("%v until the last client's time is over", s.time), "-max-time", l.time, s.time},
	} {
		if one.is {
			beyond = append(beyond, fmt.Sprintf("%s (%s is %v)", one.what, one.flag, one.limit))
			say = append(say, fmt.Sprintf("%s %v", one.flag, one.ask))
		}
	}
	if beyond == nil {
		return nil
	}
	return fmt.Errorf("the plan has %s: if the server is yours and can bear it, type %s", strings.Join(beyond, " and "), strings.Join(say, " "))
}
