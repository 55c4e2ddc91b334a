package predict

import (
	"math"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// timeline holds what is going to happen, in order. Events at the same instant come
// in the order in which they were caused; what was planned from the start comes
// first, and a packet that takes no time before everything else.
//
// Every delay in a run is one of a few constants, and what is scheduled later with
// the same delay is due later. So each delay has a lane of its own that is in order
// by construction, and the next event is the first of one of some twenty lanes: ten
// million clients need no heap.
type timeline struct {
	now   time.Duration
	seq   uint64
	heads []event // the first event of each lane; at is forever if the lane is empty
	lanes []lane
	waves []arrivals // the first lanes are theirs
	plans uint64     // how many of the lowest seqs are for what the server plans
}

// event is something that happens to a client; zero for the server's own events.
type event struct {
	at     time.Duration
	seq    uint64 // in which order among events at the same instant
	client uint32
	what   happening
}

const forever = time.Duration(math.MaxInt64)

// lane is a queue of events with the same delay.
type lane struct {
	delay time.Duration
	queue fifo[event] // all but the first, which stands in heads
}

// laneID is the number of a lane.
type laneID int

// arrivals are the clients of a wave that are still to come.
type arrivals struct {
	scenario.Wave
	first uint32 // number of the wave's first client
	done  int
}

// newTimeline plans the clients' arrivals, with seqs that leave room for the server's
// plans before them.
func newTimeline(waves scenario.Arrivals, plans int) *timeline {
	t := &timeline{seq: uint64(plans + waves.Clients()), plans: uint64(plans)}
	first := 0
	for i, w := range waves {
		t.newLane(0)
		t.waves = append(t.waves, arrivals{Wave: w, first: uint32(first)})
		t.arrive(i)
		first += w.Clients
	}
	return t
}

// arrive puts a wave's next client at the head of its lane.
func (t *timeline) arrive(wave int) {
	w := &t.waves[wave]
	if w.done == w.Clients {
		t.heads[wave].at = forever
		return
	}
	client := w.first + uint32(w.done)
	t.heads[wave] = event{w.At + time.Duration(w.done)*w.Gap, t.plans + 1 + uint64(client), client, connects}
	w.done++
}

// newLane makes a lane for events that are due after the delay.
func (t *timeline) newLane(delay time.Duration) laneID {
	t.heads = append(t.heads, event{at: forever})
	t.lanes = append(t.lanes, lane{delay: delay})
	return laneID(len(t.lanes) - 1)
}

// after schedules an event on a lane.
func (t *timeline) after(l laneID, what happening, client uint32) {
	t.seq++
	t.put(l, event{t.now + t.lanes[l].delay, t.seq, client, what})
}

// carry schedules the arrival of a packet.
func (t *timeline) carry(l laneID, what happening, client uint32) {
	if t.lanes[l].delay > 0 {
		t.after(l, what, client)
		return
	}
	t.put(l, event{t.now, 0, client, what})
}

// at schedules an event of the server's at an instant not before that of any other on
// the lane.
func (t *timeline) at(l laneID, at time.Duration, what happening) {
	t.seq++
	t.put(l, event{at, t.seq, 0, what})
}

func (t *timeline) put(l laneID, e event) {
	if t.heads[l].at == forever {
		t.heads[l] = e
		return
	}
	t.lanes[l].queue.push(e)
}

// next takes the next event, unless there is none up to the end.
func (t *timeline) next(end time.Duration) (event, bool) {
	first := 0
	for i := 1; i < len(t.heads); i++ {
		if h, f := &t.heads[i], &t.heads[first]; h.at < f.at || h.at == f.at && h.seq < f.seq {
			first = i
		}
	}
	e := t.heads[first]
	if e.at == forever || e.at > end {
		return event{}, false
	}
	t.now = e.at
	if first < len(t.waves) {
		t.arrive(first)
	} else if q := &t.lanes[first].queue; q.len > 0 {
		t.heads[first] = q.pop()
	} else {
		t.heads[first].at = forever
	}
	return e, true
}
