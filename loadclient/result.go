package loadclient

import (
	"fmt"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// Result is what became of a swarm. Its JSON field names are stable.
type Result struct {
	Target  string         `json:"target"`
	Clients []Client       `json:"clients"` // in the order of their numbers
	Fates   scenario.Fates `json:"fates"`
	Elapsed time.Duration  `json:"elapsed_ns"` // from the start to the last client's fate
}

// Check proves that every client has exactly one fate, that the fates add up to
// the clients, and that each client's times are in order. The error names the
// first client or fate that is not so.
func (r Result) Check() error {
	counted := scenario.Fates{}
	for i, c := range r.Clients {
		if c.Number != i {
			return fmt.Errorf("record %d is client %d, want the order of their numbers", i, c.Number)
		}
		if err := c.check(); err != nil {
			return err
		}
		if c.Ended > r.Elapsed {
			return fmt.Errorf("client %d: ended at %v, after the run's %v", i, c.Ended, r.Elapsed)
		}
		counted[c.Fate]++
	}
	for _, fate := range scenario.SwarmFates() {
		if counted[fate] != r.Fates[fate] {
			return fmt.Errorf("fates say %v %d, the clients %d", fate, r.Fates[fate], counted[fate])
		}
	}
	if total := r.Fates.Total(); total != len(r.Clients) {
		return fmt.Errorf("fates add up to %d of %d clients", total, len(r.Clients))
	}
	return nil
}
