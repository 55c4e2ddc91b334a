package scenario

import (
	"fmt"
	"iter"
	"math"
	"time"
)

// Wave is a number of clients that arrive one after another, Gap apart, the
// first of them At after the start. A burst is a wave whose Gap is zero.
type Wave struct {
	Clients int           // how many; at least 1
	At      time.Duration // when the first one is due, since the start; not negative
	Gap     time.Duration // between one and the next; zero means all at once
}

// Arrivals are the waves of one run, in any order: a burst, a steady pace and
// a burst that meets a queue filled earlier are all of this shape. Client 0 is
// the first of the first wave, and so on in the order written.
type Arrivals []Wave

// Clients is the number of clients in all waves, or the largest int if they are more.
func (a Arrivals) Clients() int {
	total := 0
	for _, w := range a {
		total += min(w.Clients, math.MaxInt-total)
	}
	return total
}

// Last is when the last client is due.
func (a Arrivals) Last() time.Duration {
	var last time.Duration
	for _, w := range a {
		last = max(last, w.At+time.Duration(w.Clients-1)*w.Gap)
	}
	return last
}

// Due yields each client's number and when it is due, since the start.
// Deadlines are absolute: a late client does not delay the next one.
func (a Arrivals) Due() iter.Seq2[int, time.Duration] {
	return func(yield func(int, time.Duration) bool) {
		client := 0
		for _, w := range a {
			for i := range w.Clients {
				if !yield(client, w.At+time.Duration(i)*w.Gap) {
					return
				}
				client++
			}
		}
	}
}

// MaxTime bounds every time of a scenario: a year.
const MaxTime = 365 * 24 * time.Hour

// Validate says in one sentence what is wrong with the first bad wave.
func (a Arrivals) Validate() error {
	for i, w := range a {
		switch {
		case w.Clients < 1:
			return fmt.Errorf("wave %d: clients is %d, want at least 1", i, w.Clients)
		case w.At < 0:
			return fmt.Errorf("wave %d: at is %v, want zero or more", i, w.At)
		case w.Gap < 0:
			return fmt.Errorf("wave %d: gap is %v, want zero or more", i, w.Gap)
		case w.At > MaxTime, w.Gap > 0 && time.Duration(w.Clients-1) > (MaxTime-w.At)/w.Gap:
			return fmt.Errorf("wave %d: its last client is due after more than %v, want less", i, MaxTime)
		}
	}
	return nil
}
