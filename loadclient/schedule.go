package loadclient

import (
	"context"
	"maps"
	"slices"
	"time"
)

// schedule holds every client behind the gate of its planned start. Clients
// that are due at the same instant share a gate, so one close releases them
// together: that is what makes a burst.
type schedule struct {
	instants []time.Duration // each due time once, ascending
	gates    map[time.Duration]chan struct{}
}

func newSchedule(clients []Client) schedule {
	s := schedule{gates: map[time.Duration]chan struct{}{}}
	for i := range clients {
		if due := clients[i].Planned; s.gates[due] == nil {
			s.gates[due] = make(chan struct{})
		}
	}
	s.instants = slices.Sorted(maps.Keys(s.gates))
	return s
}

// gate is closed when the client may start, or must notice that the run was
// cancelled.
func (s schedule) gate(c *Client) <-chan struct{} {
	return s.gates[c.Planned]
}

// open opens each gate at its instant after start and returns when all are
// open. Deadlines are absolute, so a late gate does not delay the next one.
// Once ctx is done the rest opens at once.
func (s schedule) open(ctx context.Context, start time.Time, wait func(context.Context, time.Time)) {
	for _, due := range s.instants {
		wait(ctx, start.Add(due))
		close(s.gates[due])
	}
}
