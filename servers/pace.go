package servers

import "time"

// pace says when the next accept is due: one slot every so often. It has no
// clock of its own. The zero pace is always due.
type pace struct {
	every time.Duration // from one slot to the next; zero or less means no pace
	slot  time.Time     // the latest slot used; zero means none
}

// due is the next slot: an absolute deadline, so that the lateness of one
// accept does not move those after it.
func (p pace) due() time.Time { return p.slot.Add(p.every) }

// took records an accept at now. Idle means that no connection was waiting when
// the slot came.
//
// While connections wait, each accept uses up the slot that was due, however late
// it is: a loop that was held up catches up. After idleness the count starts again
// at now, or a burst would follow every lull.
func (p *pace) took(now time.Time, idle bool) {
	if due := p.due(); p.every > 0 && !p.slot.IsZero() && !idle && !now.Before(due) {
		p.slot = due
		return
	}
	p.slot = now
}

// resume forgets the slots that went by while nobody was allowed to accept.
func (p *pace) resume(now time.Time) {
	if p.due().Before(now) {
		p.slot = now.Add(-max(p.every, 0))
	}
}
