package scenario

import (
	"testing"
	"time"
)

func TestOpen(t *testing.T) {
	t.Parallel()
	// The first two windows touch: who comes in the first waits for the end of the second.
	paused := Accept{Mode: AcceptPaused, Paused: []Window{{10 * ms, 20 * ms}, {20 * ms, 30 * ms}, {40 * ms, 50 * ms}}}
	const never = time.Duration(-1)
	for _, test := range []struct {
		name     string
		accept   Accept
		at, want time.Duration
	}{
		{"never", Accept{Mode: AcceptNever}, ms, never},
		{"now", Accept{Mode: AcceptNow}, ms, ms},
		{"every, whose rest is the caller's", Accept{Mode: AcceptEvery, Every: time.Hour}, ms, ms},

		{"before from", Accept{Mode: AcceptFrom, From: 2 * ms}, ms, 2 * ms},
		{"at from", Accept{Mode: AcceptFrom, From: 2 * ms}, 2 * ms, 2 * ms},
		{"after from", Accept{Mode: AcceptFrom, From: 2 * ms}, 3 * ms, 3 * ms},

		{"before a window", paused, 10*ms - 1, 10*ms - 1},
		{"at the beginning of a window", paused, 10 * ms, 30 * ms},
		{"where two windows touch", paused, 20 * ms, 30 * ms},
		{"at the end of a window", paused, 30 * ms, 30 * ms},
		{"between windows", paused, 40*ms - 1, 40*ms - 1},
		{"at the beginning of the last window", paused, 40 * ms, 50 * ms},
		{"just before the end of the last window", paused, 50*ms - 1, 50 * ms},
		{"after the last window", paused, time.Hour, time.Hour},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, ever := test.accept.Open(test.at)
			if !ever {
				got = never
			}
			if got != test.want {
				t.Errorf("Open(%v) = %v, %v, want %v (-1ns: never)", test.at, got, ever, test.want)
			}
		})
	}
}
