package servers

import (
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	type accept struct {
		at   time.Duration // since the first accept
		idle bool
		due  time.Duration // of the next one
	}
	const ms = time.Millisecond
	for _, tt := range []struct {
		name    string
		every   time.Duration
		accepts []accept
	}{
		{"none", 0, []accept{{0, false, 0}, {3 * ms, true, 3 * ms}, {4 * ms, false, 4 * ms}}},
		{"negative", -ms, []accept{{0, false, -ms}, {3 * ms, false, 2 * ms}}},
		{"on time", 10 * ms, []accept{{0, true, 10 * ms}, {10 * ms, false, 20 * ms}, {20 * ms, false, 30 * ms}}},
		{"late without drift", 10 * ms, []accept{{0, true, 10 * ms}, {13 * ms, false, 20 * ms}, {29 * ms, false, 30 * ms}}},
		{"idle for part of a slot", 10 * ms, []accept{{0, true, 10 * ms}, {13 * ms, true, 23 * ms}}},
		{"idle for many slots", 10 * ms, []accept{{0, true, 10 * ms}, {95 * ms, true, 105 * ms}, {105 * ms, false, 115 * ms}}},
		{"slots missed are caught up", 10 * ms, []accept{{0, true, 10 * ms}, {35 * ms, false, 20 * ms}, {35 * ms, false, 30 * ms}, {35 * ms, false, 40 * ms}}},
		{"first accept with a queue", 10 * ms, []accept{{50 * ms, false, 60 * ms}}},
		{"before its slot", 10 * ms, []accept{{0, true, 10 * ms}, {4 * ms, false, 14 * ms}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			p := pace{every: tt.every}
			if p.due().After(start) {
				t.Errorf("before the first accept: due in %v, want now", p.due().Sub(start))
			}
			for _, a := range tt.accepts {
				p.took(start.Add(a.at), a.idle)
				if got := p.due().Sub(start); got != a.due {
					t.Fatalf("took(%v, idle=%t): due at %v, want %v", a.at, a.idle, got, a.due)
				}
			}
		})
	}
}

// What went by while the gate was shut is not made up for.
func TestPaceResume(t *testing.T) {
	start := time.Now()
	for _, tt := range []struct{ every, at, due time.Duration }{
		{10 * time.Millisecond, 95 * time.Millisecond, 95 * time.Millisecond},
		{10 * time.Millisecond, 4 * time.Millisecond, 10 * time.Millisecond},
		{0, 95 * time.Millisecond, 95 * time.Millisecond},
	} {
		p := pace{every: tt.every}
		p.took(start, true)
		p.resume(start.Add(tt.at))
		if got := p.due().Sub(start); got != tt.due {
			t.Errorf("every %v, resumed at %v: due at %v, want %v", tt.every, tt.at, got, tt.due)
		}
	}
}
