package loadclient

import (
	"cmp"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Stalls are how long this machine kept a thread waiting: by how much it woke up late, and
// with the engine Epoll also for how long it stood still amid its work. A client that was
// late by no more than that was not kept waiting by the server.
type Stalls struct {
	Largest time.Duration `json:"largest_ns"`
	Total   time.Duration `json:"total_ns"` // of all over a millisecond
	Count   int           `json:"count"`    // of those
}

// Bounds of the watch.
const (
	watchInterval = 3 * time.Millisecond
	stallTime     = time.Millisecond
)

// join adds the stalls of another machine at the same time.
func (s Stalls) join(other Stalls) Stalls {
	return Stalls{max(s.Largest, other.Largest), s.Total + other.Total, s.Count + other.Count}
}

// or is the worse of what two threads of one machine saw.
func (s Stalls) or(other Stalls) Stalls {
	if cmp.Or(cmp.Compare(s.Total, other.Total), cmp.Compare(s.Largest, other.Largest)) < 0 {
		return other
	}
	return s
}

// String is one line for people.
func (s Stalls) String() string {
	return fmt.Sprintf("this machine stood still %d times for over %v, %v at most", s.Count, stallTime, round(s.Largest))
}

// add notes by how much a thread was late.
func (s *Stalls) add(late time.Duration) {
	s.Largest = max(s.Largest, late)
	if late > stallTime {
		s.Total += late
		s.Count++
	}
}

// watchStalls watches on a thread of its own until stop is called, which gives the
// stalls.
func watchStalls() (stop func() Stalls) {
	var stalls Stalls
	var stopped atomic.Bool
	var watching sync.WaitGroup
	watching.Go(func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer exactTimers()()
		interval := unix.NsecToTimespec(watchInterval.Nanoseconds())
		for !stopped.Load() {
			begin := time.Now()
			if unix.Nanosleep(&interval, nil) == nil { // nor cut short by a signal
				stalls.add(time.Since(begin) - watchInterval)
			}
		}
	})
	return func() Stalls {
		stopped.Store(true)
		watching.Wait()
		return stalls
	}
}
