package scenario

import "time"

// Accept is how the server's program takes connections out of the accept queue.
type Accept struct {
	Mode   AcceptMode
	Every  time.Duration // mode every: from one accept to the next
	From   time.Duration // mode from: when it begins to accept
	Paused []Window      // mode paused: when it does not accept, in the order of their times
}

// AcceptMode names a way to accept. The zero value is invalid.
type AcceptMode string

// The ways to accept.
const (
	AcceptNever  AcceptMode = "never"  // nobody
	AcceptNow    AcceptMode = "now"    // each one as soon as it is queued
	AcceptEvery  AcceptMode = "every"  // one, then a rest of Every, then the next
	AcceptFrom   AcceptMode = "from"   // nobody until From, then as now
	AcceptPaused AcceptMode = "paused" // as now, but nobody during the windows
)

// Window is a span of time that includes its beginning and not its end.
type Window struct {
	From time.Duration
	To   time.Duration
}

// Open is the first instant, t or later, at which the accept loop takes a
// connection that waits; false if there is none. The rest of mode every is the
// caller's to add to t.
func (a Accept) Open(t time.Duration) (time.Duration, bool) {
	switch a.Mode {
	case AcceptNever:
		return 0, false
	case AcceptFrom:
		return max(t, a.From), true
	case AcceptPaused:
		for _, w := range a.Paused {
			if w.From <= t && t < w.To {
				t = w.To
			}
		}
	}
	return t, true
}
