package scenario

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
}

// Modern is the calibration of Linux 6.18.
var Modern = Calibration{SYNQueueExtra: 1, LinearSYNTimeouts: 4}
