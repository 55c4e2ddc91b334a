package meeting

import (
	"testing"
	"time"
)

func TestExchange(t *testing.T) {
	t.Parallel()
	// There, at the host and back, in milliseconds, and by how much the guest is ahead.
	of := func(there, at, back, ahead int64) exchange {
		const ms, noon = int64(time.Millisecond), int64(1_790_000_000_000_000_000)
		return exchange{noon + ahead*ms, noon + there*ms, noon + (there+at)*ms, noon + (there+at+back+ahead)*ms}
	}
	for _, test := range []struct {
		name                   string
		there, at, back, ahead int64
		wantAhead, wantDoubt   time.Duration
	}{
		{"at once", 0, 0, 0, 0, 0, 0},
		{"the same clock", 3, 1, 3, 0, 0, 3 * time.Millisecond},
		{"ahead", 3, 1, 3, 70, 70 * time.Millisecond, 3 * time.Millisecond},
		{"behind", 3, 1, 3, -70, -70 * time.Millisecond, 3 * time.Millisecond},
		{"a long time at the host", 1, 900, 1, 7, 7 * time.Millisecond, time.Millisecond},
		{"slow there", 8, 1, 0, 70, 66 * time.Millisecond, 4 * time.Millisecond}, // as wrong as it may be
		{"slow back", 0, 1, 8, 70, 74 * time.Millisecond, 4 * time.Millisecond},
	} {
		e := of(test.there, test.at, test.back, test.ahead)
		if got, doubt := e.ahead(), e.doubt(); got != test.wantAhead || doubt != test.wantDoubt {
			t.Errorf("%s: %v ahead, to %v, want %v, to %v", test.name, got, doubt, test.wantAhead, test.wantDoubt)
		}
	}
	quick := of(1, 50, 1, 5)
	if got := best([]exchange{of(9, 1, 0, 5), quick, of(2, 0, 2, 5)}); got != quick {
		t.Errorf("best() = %+v, want %+v", got, quick)
	}
	if got := (exchange{0, 0, 0, 1}).doubt(); got != 1 {
		t.Errorf("doubt() of half a nanosecond is %v, want it rounded up", got)
	}
}
