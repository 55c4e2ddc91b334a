package predict

import (
	"fmt"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// Decision is what the server's kernel did with one segment, and by which rule.
type Decision struct {
	At      time.Duration
	Client  int
	Segment string // SYN, ACK or data
	Accept  int    // length of the accept queue afterwards
	SYN     int    // length of the SYN queue afterwards
	Rule    Rule
}

// String is one line: "150ms client 3 ACK: ...; accept queue 17, SYN queue 2".
func (d Decision) String() string {
	return fmt.Sprintf("%v client %d %s: %s; accept queue %d, SYN queue %d", d.At, d.Client, d.Segment, d.Rule, d.Accept, d.SYN)
}

// Explain lists every decision of the server's kernel in a scenario, in order. The
// error is that of [Run].
func Explain(s scenario.Scenario, c scenario.Calibration) ([]Decision, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	var all []Decision
	r := newRun(s, c)
	r.explain = func(client uint32, segment string) {
		all = append(all, Decision{r.now, int(client), segment, r.server.accept, r.server.requests, r.server.rule})
	}
	r.play()
	return all, nil
}

// decided tells who wants to know of a decision of the server's kernel.
func (r *run) decided(client uint32, segment string) {
	if r.explain != nil {
		r.explain(client, segment)
	}
}
