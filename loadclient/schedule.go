package loadclient

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// schedule holds every client behind the gate of its planned start. Clients
// that are due at the same instant share a gate, so one close releases them
// together: that is what makes a burst.
type schedule struct {
	due      []time.Duration // by client, since the start
	instants []time.Duration // each due time once, ascending
	gates    map[time.Duration]chan struct{}
}

func newSchedule(arrivals scenario.Arrivals) schedule {
	s := schedule{
		due:   make([]time.Duration, arrivals.Clients()),
		gates: map[time.Duration]chan struct{}{},
	}
	for client, due := range arrivals.Due() {
		s.due[client] = due
		if s.gates[due] == nil {
			s.gates[due] = make(chan struct{})
		}
	}
	s.instants = slices.Sorted(maps.Keys(s.gates))
	return s
}

// gate is closed when the client may start, or must notice that the run was
// cancelled.
func (s schedule) gate(client int) <-chan struct{} {
	return s.gates[s.due[client]]
}

// open opens each gate at its instant after start and returns when all are
// open. Deadlines are absolute, so a late gate does not delay the next one.
// Once ctx is done the rest opens at once.
func (s schedule) open(ctx context.Context, start time.Time) {
	for _, due := range s.instants {
		waitUntil(ctx, start.Add(due))
		close(s.gates[due])
	}
}

// waitUntil returns at t, never earlier, or when ctx is done.
func waitUntil(ctx context.Context, t time.Time) {
	wait := time.Until(t)
	if wait <= 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
