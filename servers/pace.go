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
// An accept less than one interval late uses up the slot that was due. After
// idleness, or when a whole slot was missed, the count starts again at now:
// slots that nobody used are lost, or a burst would follow every pause.
func (p *pace) took(now time.Time, idle bool) {
	due := p.due()
	late := now.Sub(due)
	if !idle && 0 <= late && late < p.every {
		p.slot = due
		return
	}
	p.slot = now
}
