package loadclient

import "time"

// thinkers are the clients between an answer and their next request. All think for the
// same time, so who began first is the first to be done.
type thinkers struct {
	queue []thinker
	head  int
}

type thinker struct {
	until time.Duration
	place int32
}

func (t *thinkers) add(place int32, until time.Duration) {
	if t.head > len(t.queue)/2 {
		t.queue = append(t.queue[:0], t.queue[t.head:]...)
		t.head = 0
	}
	t.queue = append(t.queue, thinker{until, place})
}

// next is when the first is done; false: there is none.
func (t *thinkers) next() (time.Duration, bool) {
	if t.head == len(t.queue) {
		return 0, false
	}
	return t.queue[t.head].until, true
}

// wake takes the first that is done by now out of the queue; false: there is none.
func (t *thinkers) wake(now time.Duration) (int32, bool) {
	if at, ok := t.next(); !ok || at > now {
		return 0, false
	}
	t.head++
	return t.queue[t.head-1].place, true
}
