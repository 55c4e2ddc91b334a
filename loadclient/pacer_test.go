package loadclient

import (
	"slices"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// walk plays a pacer by a fake clock: a sleep takes what was asked for, a spin a
// microsecond, and each start so long as busy says. It returns who started when.
func walk(t *testing.T, arrivals scenario.Arrivals, busy time.Duration) (order []int32, at []time.Duration) {
	t.Helper()
	clients := newSwarm(Config{Waves: arrivals}.withDefaults(), "").clients
	p := newPacer(len(clients), func(i int32) time.Duration { return clients[i].Planned })
	spun := 0
	for now := time.Duration(0); p.sleep(now) != forever; {
		client, due := p.next(now)
		if due {
			order, at = append(order, client), append(at, now)
			now += busy
			continue
		}
		sleep := p.sleep(now)
		if sleep == 0 {
			now, spun = now+time.Microsecond, spun+1
		}
		now += sleep
	}
	if most := int(spinTime/time.Microsecond) * len(clients); spun > most {
		t.Errorf("%d microseconds were spun away for %d clients, want at most %d", spun, len(clients), most)
	}
	return order, at
}

func TestPacer(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for _, test := range []struct {
		name     string
		arrivals scenario.Arrivals
		busy     time.Duration
		order    []int32
		at       []time.Duration
	}{
		{"burst", scenario.Arrivals{{Clients: 3}}, 0, []int32{0, 1, 2}, []time.Duration{0, 0, 0}},
		{"paced", scenario.Arrivals{{Clients: 4, Gap: 20 * ms}}, ms, []int32{0, 1, 2, 3}, []time.Duration{0, 20 * ms, 40 * ms, 60 * ms}},
		{"late, and owes nobody a gap", scenario.Arrivals{{Clients: 4, Gap: 20 * ms}}, 30 * ms, []int32{0, 1, 2, 3}, []time.Duration{0, 30 * ms, 60 * ms, 90 * ms}},
		{"waves out of order", scenario.Arrivals{{Clients: 2, At: 50 * ms, Gap: 10 * ms}, {Clients: 2}}, 0, []int32{2, 3, 0, 1},
			[]time.Duration{0, 0, 50 * ms, 60 * ms}},
		{"ramp", scenario.Ramp(4, 3*ms, ms), 0, []int32{0, 1, 2, 3}, []time.Duration{0, 3 * ms, 5 * ms, 6 * ms}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			order, at := walk(t, test.arrivals, test.busy)
			if !slices.Equal(order, test.order) || !slices.Equal(at, test.at) {
				t.Errorf("%v started at %v, want %v at %v", order, at, test.order, test.at)
			}
		})
	}
}

// Poisson arrivals start at their very instants, however close.
func TestPacerOfPoisson(t *testing.T) {
	t.Parallel()
	arrivals := scenario.Poisson(2000, 50*time.Microsecond, 1)
	_, at := walk(t, arrivals, 0)
	for i, w := range arrivals {
		if late := at[i] - w.At; late < 0 || late >= time.Microsecond {
			t.Errorf("client %d started at %v, and was due at %v", i, at[i], w.At)
		}
	}
}

func TestThinkers(t *testing.T) {
	t.Parallel()
	var q thinkers
	if _, ok := q.wake(1 << 60); ok {
		t.Error("somebody woke up of nobody")
	}
	var woken []int32
	for i := range int32(100) { // one thinks for 3
		q.add(i, time.Duration(i+3))
		if at, ok := q.next(); !ok || at < time.Duration(i) {
			t.Errorf("next is due at %v, %v at %d", at, ok, i)
		}
		if place, ok := q.wake(time.Duration(i)); ok {
			woken = append(woken, place)
		}
	}
	want := make([]int32, 97)
	for i := range want {
		want[i] = int32(i)
	}
	if !slices.Equal(woken, want) || len(q.queue) > 10 {
		t.Errorf("%v woke up and %d are kept in the queue, want 0 to 96 and not more than 10", woken, len(q.queue))
	}
}
