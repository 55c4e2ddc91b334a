package servers

import (
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fakeAccept stands in for the kernel: an accept that lasts until a connection
// comes, or until the deadline is set in the past.
type fakeAccept struct {
	arrivals    chan struct{}
	interrupted chan struct{}
}

func newFakeAccept() (*fakeAccept, *gate) {
	f := &fakeAccept{arrivals: make(chan struct{}, 100), interrupted: make(chan struct{}, 1)}
	return f, newGate(f.setDeadline)
}

// setDeadline keeps interrupted full while the deadline is in the past.
func (f *fakeAccept) setDeadline(deadline time.Time) error {
	if deadline.IsZero() {
		<-f.interrupted
	} else {
		f.interrupted <- struct{}{}
	}
	return nil
}

// take is Listener.take without a socket.
func (f *fakeAccept) take(g *gate) (took bool, err error) {
	if err := g.enter(); err != nil {
		return false, err
	}
	idle := len(f.arrivals) == 0
	select {
	case <-f.arrivals:
		took = true
	case <-f.interrupted:
		f.interrupted <- struct{}{}
	}
	g.leave(took, idle)
	return took, nil
}

// run takes until the gate is closed, and returns when it took, since its start.
func (f *fakeAccept) run(g *gate) (at []time.Duration) {
	start := time.Now()
	for {
		took, err := f.take(g)
		if err != nil {
			return at
		}
		if took {
			at = append(at, time.Since(start))
		}
	}
}

// takenAt runs the gate while script plays, and checks the instants.
func takenAt(t *testing.T, want []time.Duration, script func(f *fakeAccept, g *gate)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f, g := newFakeAccept()
		var got []time.Duration
		var wg sync.WaitGroup
		wg.Go(func() { got = f.run(g) })
		script(f, g)
		synctest.Wait()
		g.hold() // out of the accept, which close would end in a real listener
		g.close()
		wg.Wait()
		if !slices.Equal(got, want) {
			t.Errorf("taken at %v, want %v", got, want)
		}
	})
}

func (f *fakeAccept) arrive(n int) {
	for range n {
		f.arrivals <- struct{}{}
	}
}

// after lets virtual time pass.
func after(d time.Duration) { <-time.After(d) }

const second = time.Second

func TestGatePaceIsExact(t *testing.T) {
	want := []time.Duration{0, second, 2 * second, 3 * second, 4 * second}
	takenAt(t, want, func(f *fakeAccept, g *gate) {
		g.setPace(second)
		f.arrive(5)
		after(10 * second)
	})
}

func TestGateNoBurstAfterIdleness(t *testing.T) {
	want := []time.Duration{0, 10*second + second/2, 11*second + second/2, 12*second + second/2}
	takenAt(t, want, func(f *fakeAccept, g *gate) {
		g.setPace(second)
		f.arrive(1)
		after(10*second + second/2)
		f.arrive(3)
		after(5 * second)
	})
}

func TestGateSetPaceWakesWaiter(t *testing.T) {
	want := []time.Duration{0, 5 * second, 7 * second}
	takenAt(t, want, func(f *fakeAccept, g *gate) {
		g.setPace(time.Hour)
		f.arrive(3)
		after(3 * second)
		g.setPace(5 * second)
		after(3 * second)
		g.setPace(2 * second)
		after(3 * second)
	})
}

func TestGateHoldStopsPacedAccept(t *testing.T) {
	want := []time.Duration{0, 10 * second, 11 * second}
	takenAt(t, want, func(f *fakeAccept, g *gate) {
		g.setPace(second)
		f.arrive(3)
		after(second / 2)
		g.hold()
		after(10*second - second/2)
		g.release()
		after(5 * second)
	})
}

func TestGateHoldCallsBlockedAcceptBack(t *testing.T) {
	takenAt(t, []time.Duration{time.Minute}, func(f *fakeAccept, g *gate) {
		synctest.Wait() // the accept is inside
		g.hold()
		f.arrive(1)
		after(time.Minute)
		g.release()
	})
}

func TestGateHoldWaitsForAcceptInside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(func(time.Time) error { return nil }) // deaf, as a woken accept is
		if err := g.enter(); err != nil {
			t.Fatal(err)
		}
		go func() {
			after(second)
			g.leave(true, false)
		}()
		start := time.Now()
		g.hold()
		if got := time.Since(start); got != second {
			t.Errorf("hold returned after %v, want %v: when the accept had left", got, second)
		}
	})
}

func TestGateLetsInOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(nil)
		inside, most := 0, 0
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if err := g.enter(); err != nil {
					t.Errorf("enter: %v", err)
				}
				inside++
				most = max(most, inside)
				after(second)
				inside--
				g.leave(true, false)
			})
		}
		wg.Wait()
		if most != 1 {
			t.Errorf("%d inside at once, want 1", most)
		}
	})
}

func TestGateCloseEndsEveryWait(t *testing.T) {
	for name, shut := range map[string]func(*gate){
		"held":  (*gate).hold,
		"paced": func(g *gate) { g.setPace(time.Hour); g.leave(true, false) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, g := newFakeAccept()
				shut(g)
				var err error
				var wg sync.WaitGroup
				wg.Go(func() { err = g.enter() })
				synctest.Wait()
				if first, second := g.close(), g.close(); !first || second {
					t.Errorf("close reported first=%t, then first=%t", first, second)
				}
				wg.Wait()
				if !errors.Is(err, net.ErrClosed) {
					t.Errorf("enter = %v, want net.ErrClosed", err)
				}
			})
		})
	}
}
