package loadclient

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// starts runs a schedule and returns when each client came through its gate.
func starts(ctx context.Context, arrivals scenario.Arrivals) []time.Duration {
	clientsOf := newSwarm(Config{Waves: arrivals}.withDefaults(), "").clients
	s := newSchedule(clientsOf)
	start := time.Now()
	at := make([]time.Duration, len(clientsOf))
	var clients sync.WaitGroup
	for i := range at {
		clients.Go(func() {
			<-s.gate(&clientsOf[i])
			at[i] = time.Since(start)
		})
	}
	s.open(ctx, start, waitUntil)
	clients.Wait()
	return at
}

func TestScheduleIsAbsolute(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for _, test := range []struct {
		name     string
		arrivals scenario.Arrivals
		want     []time.Duration
	}{
		{"burst", scenario.Arrivals{{Clients: 3}}, []time.Duration{0, 0, 0}},
		{"paced", scenario.Arrivals{{Clients: 4, Gap: 20 * ms}}, []time.Duration{0, 20 * ms, 40 * ms, 60 * ms}},
		{"waves out of order", scenario.Arrivals{{Clients: 2, At: 50 * ms, Gap: 10 * ms}, {Clients: 2}},
			[]time.Duration{50 * ms, 60 * ms, 0, 0}},
		{"waves that meet", scenario.Arrivals{{Clients: 2, Gap: 10 * ms}, {Clients: 2, At: 10 * ms}},
			[]time.Duration{0, 10 * ms, 10 * ms, 10 * ms}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				if got := starts(t.Context(), test.arrivals); !slices.Equal(got, test.want) {
					t.Errorf("starts of %v = %v, want %v", test.arrivals, got, test.want)
				}
			})
		})
	}
}

// A schedule that begins late catches up at once: it owes nobody a gap.
func TestScheduleDoesNotDrift(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(newSwarm(Config{Clients: 5, Gap: 20 * time.Millisecond}.withDefaults(), "").clients)
		start := time.Now().Add(-50 * time.Millisecond)
		s.open(t.Context(), start, waitUntil)
		if got, want := time.Since(start), 80*time.Millisecond; got != want {
			t.Errorf("last gate opened at %v, want %v", got, want)
		}
	})
}

func TestScheduleOpensEveryGateWhenCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer cancel()
		got := starts(ctx, scenario.Arrivals{{Clients: 4, Gap: 20 * time.Millisecond}})
		const ms = time.Millisecond
		if want := []time.Duration{0, 20 * ms, 30 * ms, 30 * ms}; !slices.Equal(got, want) {
			t.Errorf("starts cancelled at 30ms = %v, want %v", got, want)
		}
	})
}
