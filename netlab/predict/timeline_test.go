package predict

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// Whatever is scheduled comes out in the order of its time, and at the same time in the
// order of its causes.
func TestTimelineIsInOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	tl := newTimeline(scenario.Arrivals{{Clients: 1000, Gap: 2 * time.Millisecond}, {Clients: 1000, At: time.Second}}, 0)
	lanes := []laneID{tl.newLane(time.Millisecond), tl.newLane(3 * time.Millisecond), tl.newLane(time.Second)}
	scheduled, happened := 2000, 0
	last := event{at: -1}
	for {
		e, ok := tl.next(forever)
		if !ok {
			break
		}
		if e.at < last.at || e.at == last.at && e.seq <= last.seq {
			t.Fatalf("event %+v comes after %+v", e, last)
		}
		last, happened = e, happened+1
		for range r.IntN(3) {
			if scheduled < 20_000 {
				tl.after(lanes[r.IntN(len(lanes))], writes, e.client)
				scheduled++
			}
		}
	}
	if happened != scheduled {
		t.Errorf("%d events happened, want %d", happened, scheduled)
	}
}

// At one instant a packet without latency comes first, then what the server had
// planned, then the clients in the order of their numbers, then what was caused later.
func TestTimelineTies(t *testing.T) {
	tl := newTimeline(scenario.Arrivals{{Clients: 1, At: time.Second}, {Clients: 1, At: time.Second}}, 1)
	planned, late, wire := tl.newLane(0), tl.newLane(time.Second), tl.newLane(0)
	tl.after(late, writes, 7)
	tl.put(planned, event{time.Second, 1, 0, closesListener})
	var got []string
	for e, ok := tl.next(forever); ok; e, ok = tl.next(forever) {
		got = append(got, [...]string{connects: "connect", closesListener: "close", writes: "write", rstArrives: "packet"}[e.what])
		if e.what == connects && e.client == 0 {
			tl.carry(wire, rstArrives, 0)
		}
	}
	if want := "close connect packet connect write"; strings.Join(got, " ") != want {
		t.Errorf("order is %v, want %s", got, want)
	}
}

// The end is included, what comes after it is not.
func TestTimelineEnds(t *testing.T) {
	tl := newTimeline(scenario.Arrivals{{Clients: 3, Gap: time.Second}}, 0)
	n := 0
	for _, ok := tl.next(time.Second); ok; _, ok = tl.next(time.Second) {
		n++
	}
	if n != 2 {
		t.Errorf("%d clients came within a second, want 2", n)
	}
}

func TestFIFO(t *testing.T) {
	var q fifo[int]
	var got, want []int
	for i := range 5 * chunkLen {
		q.push(i)
		want = append(want, i)
		if i%3 == 0 {
			got = append(got, q.pop())
		}
	}
	for q.len > 0 {
		got = append(got, q.pop())
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d items came out, not the %d that went in, in their order", len(got), len(want))
	}
	q.push(42)
	if got := q.pop(); got != 42 || q.len != 0 {
		t.Errorf("after it was empty: %d, %d left, want 42 and none", got, q.len)
	}
}
