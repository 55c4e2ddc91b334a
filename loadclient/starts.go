package loadclient

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Starts holds the clients' actual starts against the planned ones: how far the swarm
// kept its own promise, which is nobody else's fault.
type Starts struct {
	Count int           `json:"count"`       // clients that started
	Width time.Duration `json:"width_ns"`    // from the first start to the last
	Hole  time.Duration `json:"hole_ns"`     // the longest time between two starts beyond the planned one
	P99   time.Duration `json:"late_p99_ns"` // lateness that 99 of 100 do not exceed
	Late  time.Duration `json:"late_max_ns"` // the largest lateness
	Drift time.Duration `json:"drift_ns"`    // lateness of the last client less that of the first
}

// Starts works out how the clients really started.
func (r Result) Starts() Starts {
	started := make([]*Client, 0, len(r.Clients))
	for i := range r.Clients {
		if c := &r.Clients[i]; c.Started != 0 {
			started = append(started, c)
		}
	}
	if len(started) == 0 {
		return Starts{}
	}
	slices.SortFunc(started, func(a, b *Client) int { return cmp.Compare(a.Started, b.Started) })
	first, last := started[0], started[len(started)-1]
	s := Starts{Count: len(started), Width: last.Started - first.Started, Drift: last.late() - first.late()}
	late := make([]time.Duration, len(started))
	for i, c := range started {
		late[i] = c.late()
		if i > 0 {
			planned := max(0, c.Planned-started[i-1].Planned)
			s.Hole = max(s.Hole, c.Started-started[i-1].Started-planned)
		}
	}
	slices.Sort(late)
	s.P99, s.Late = late[(len(late)*99+99)/100-1], late[len(late)-1]
	return s
}

// late is by how much the client started later than planned.
func (c *Client) late() time.Duration { return c.Started - c.Planned }

// String is one line for people.
func (s Starts) String() string {
	return fmt.Sprintf("starts: first to last %v, longest hole %v, 99 %% at most %v late, drift %v",
		round(s.Width), round(s.Hole), round(s.P99), round(s.Drift))
}

// round leaves three digits or so of a time.
func round(d time.Duration) time.Duration {
	for unit := time.Second; unit > time.Microsecond; unit /= 10 {
		if d.Abs() >= 10*unit {
			return d.Round(unit / 100)
		}
	}
	return d.Round(time.Microsecond / 10)
}
