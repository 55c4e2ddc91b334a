package scenario

import "time"

// Calibration is what differs between kernels. It is measured on the kernel at hand
// (netlab/wire has Calibrate), not guessed from a version number, since distributions
// carry changes back.
type Calibration struct {
	// SYNQueueExtra is how many half-open connections the SYN queue holds beyond its
	// limit: 1, or 0 on kernels without the change of early 2025, where the queue is
	// full once it has reached the limit.
	SYNQueueExtra int `json:"syn_queue_extra"`

	// LinearSYNTimeouts is how many times a client repeats its SYN a second apart
	// before it doubles the time: tcp_syn_linear_timeouts, and 0 on kernels before
	// 6.5, which do not have it.
	LinearSYNTimeouts int `json:"linear_syn_timeouts"`

	// Tick is the length of a jiffy. The timer wheel rounds time-outs up: those of a
	// second to the next multiple of eight ticks, longer ones more coarsely, so that
	// clients who came one by one repeat their SYNs in batches. Zero: timers fire on the
	// instant.
	Tick time.Duration `json:"tick_ns"`
}

// Modern is the calibration of Linux 6.18 with 250 ticks a second, as most
// distributions build it.
var Modern = Calibration{SYNQueueExtra: 1, LinearSYNTimeouts: 4, Tick: 4 * time.Millisecond}
