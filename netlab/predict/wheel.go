package predict

import "time"

// wheel is the kernel's timer wheel: the later a timer is due, the more coarsely it
// fires. Its phase against the run's start is nobody's to know; here the run starts on a
// tick of every level.
//
// Source, checked on v6.18: calc_wheel_index (kernel/time/timer.c).
type wheel struct{ tick time.Duration }

// Constants of the wheel: LVL_SIZE, LVL_CLK_SHIFT and LVL_DEPTH.
const (
	levelSize  = 64
	levelShift = 3
	levels     = 9
)

// fires is when a timer fires that is armed now and due after the delay: at the end of
// its level's granule, and never early.
func (w wheel) fires(now, delay time.Duration) time.Duration {
	if w.tick == 0 {
		return now + delay
	}
	ticks := (delay + w.tick - 1) / w.tick
	shift := 0
	for start := time.Duration(levelSize - 1); ticks >= start && shift < levelShift*(levels-1); start <<= levelShift {
		shift += levelShift
	}
	due := now/w.tick + ticks
	return ((due >> shift) + 1) << shift * w.tick
}
