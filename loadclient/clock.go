package loadclient

import (
	"time"

	"golang.org/x/sys/unix"
)

// clockError is by how much the wall clock may be wrong, as the kernel reckons from what
// keeps the clock in time; zero: unknown, nothing keeps it.
//
// Source: adjtimex(2), maxerror in microseconds, with STA_UNSYNC.
func clockError() time.Duration {
	var t unix.Timex
	if _, err := unix.Adjtimex(&t); err != nil || t.Status&unix.STA_UNSYNC != 0 {
		return 0
	}
	return time.Duration(t.Maxerror) * time.Microsecond
}

// monotonic is the kernel's clock that no process sets, the same in all of them.
func monotonic() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic(err) // every Linux has it
	}
	return time.Duration(t.Nano())
}
