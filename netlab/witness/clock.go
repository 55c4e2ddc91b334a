package witness

import (
	"math"
	"time"

	"golang.org/x/sys/unix"
)

// bothClocks reads the wall clock, by which packets are stamped, and CLOCK_MONOTONIC, by
// which the trace is, at the same instant: the closest of a few tries, which is some
// 100 ns apart.
func bothClocks() (wall time.Time, mono time.Duration) {
	for best, try := time.Duration(math.MaxInt64), 0; try < 5; try++ {
		before := monotonic()
		now := time.Now()
		if took := monotonic() - before; took < best {
			best, wall, mono = took, now, before+took/2
		}
	}
	return wall, mono
}

func monotonic() time.Duration {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) // cannot fail: every kernel has this clock
	return time.Duration(now.Nano())
}
