package tests

import (
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// seats bounds the clients of all rows that are played at one time, since this
// process holds a descriptor for each, and two while it dials.
type seats struct {
	all int

	mu   sync.Mutex
	left int
	free sync.Cond
}

// newSeats takes three fifths of the descriptors that this process may have.
func newSeats(t *testing.T) *seats {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	all := int(min(limit.Cur, 1<<20) * 3 / 5)
	s := &seats{all: all, left: all}
	s.free.L = &s.mu
	return s
}

// take waits for n seats and gives the test's end the task of handing them back.
func (s *seats) take(t *testing.T, n int) {
	t.Helper()
	if n > s.all {
		t.Fatalf("%d clients need more descriptors than this process may have: type `ulimit -n %d` first", n, n*2)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.left < n {
		s.free.Wait()
	}
	s.left -= n
	t.Cleanup(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.left += n
		s.free.Broadcast()
	})
}
