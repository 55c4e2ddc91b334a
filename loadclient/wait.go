package loadclient

import (
	"context"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// spinTime is how long before an instant a thread stops sleeping. An idle CPU takes some
// 50 to 100 microseconds to wake up.
const spinTime = 200 * time.Microsecond

// timerTime is how long before an instant the runtime's timers are no longer exact
// enough: it rounds short waits up to a millisecond.
const timerTime = 3 * time.Millisecond

// waitUntil returns at t, never earlier, or when ctx is done. It goes by the runtime's
// timers, which a test may fake.
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

// waitExactly is waitUntil to some ten microseconds: it sleeps by the kernel's clock for
// the last milliseconds and then spins.
func waitExactly(ctx context.Context, t time.Time) {
	waitUntil(ctx, t.Add(-timerTime))
	if ctx.Err() != nil {
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer exactTimers()()
	if sleep := time.Until(t) - spinTime; sleep > 0 {
		until := unix.NsecToTimespec(sleep.Nanoseconds())
		_ = unix.Nanosleep(&until, nil) // cut short by a signal, it spins longer
	}
	for time.Until(t) > 0 {
	}
}

// exactTimers lets the kernel end the thread's sleeps when they are due and not up to 50
// microseconds later, until undo is called on the same thread.
func exactTimers() (undo func()) {
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // nanoseconds; where it fails, sleeps are less exact
	return func() { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0) }
}
