package predict

import (
	"testing"
	"time"
)

// A timer fires at the end of its level's granule, and never early: a tick up to 62
// ticks, eight ticks up to 503, 64 up to 4031.
func TestWheel(t *testing.T) {
	const tick = 4 * time.Millisecond
	for _, c := range []struct{ now, delay, want time.Duration }{
		{0, 4 * time.Millisecond, 8 * time.Millisecond},
		{0, 200 * time.Millisecond, 204 * time.Millisecond},
		{3 * time.Millisecond, 200 * time.Millisecond, 204 * time.Millisecond},
		{4 * time.Millisecond, 200 * time.Millisecond, 208 * time.Millisecond},
		{0, 248 * time.Millisecond, 252 * time.Millisecond},                // 62 ticks
		{0, 252 * time.Millisecond, 256 * time.Millisecond},                // 63 ticks
		{0, time.Second, 1024 * time.Millisecond},                          // 250 ticks, up to 256
		{23 * time.Millisecond, time.Second, 1024 * time.Millisecond},      // 255
		{24 * time.Millisecond, time.Second, 1056 * time.Millisecond},      // 256, up to 264
		{0, 2 * time.Second, 2016 * time.Millisecond},                      // 500
		{0, 4 * time.Second, 4096 * time.Millisecond},                      // 1000, up to 1024
		{100 * time.Millisecond, 4 * time.Second, 4352 * time.Millisecond}, // 1025, up to 1088
	} {
		if got := (wheel{tick}).fires(c.now, c.delay); got != c.want {
			t.Errorf("armed at %v for %v: fires at %v, want %v", c.now, c.delay, got, c.want)
		}
	}
	if got := (wheel{}).fires(time.Second, time.Second); got != 2*time.Second {
		t.Errorf("without ticks: fires at %v, want 2s", got)
	}
}
