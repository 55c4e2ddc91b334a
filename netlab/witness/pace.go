package witness

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// paceShare is the part of one processor, one in so many, that looks at a pace may take.
const paceShare = 50

// pace spaces out looks by what they cost, so that they never take more of a processor
// than their share. The zero value allows a look at once.
type pace struct{ next time.Duration }

// due tells whether a look may begin now.
func (p *pace) due(now time.Duration) bool { return now >= p.next }

// spent notes what a look cost that began now, in time of a processor.
func (p *pace) spent(now, cost time.Duration) { p.next = now + paceShare*cost }

// processorTime runs fn and tells how much of a processor it took. The time in which
// others kept it waiting does not count.
func processorTime(fn func()) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := threadTime()
	fn()
	return threadTime() - before
}

func threadTime() time.Duration {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now) // cannot fail: every kernel has this clock
	return time.Duration(now.Nano())
}
