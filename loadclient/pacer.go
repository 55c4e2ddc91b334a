package loadclient

import (
	"slices"
	"time"
)

// pacer decides which client starts when. It has no clock: it is told the time since the
// start of the run. Deadlines are absolute, so a late start delays no other.
type pacer struct {
	order   []int32 // clients in the order of their planned starts
	planned func(client int32) time.Duration
	started int // so many of order
}

func newPacer(clients int, planned func(int32) time.Duration) pacer {
	p := pacer{order: make([]int32, clients), planned: planned}
	for i := range p.order {
		p.order[i] = int32(i)
	}
	slices.SortStableFunc(p.order, func(a, b int32) int { return int(planned(a) - planned(b)) })
	return p
}

// due tells whether somebody is.
func (p *pacer) due(now time.Duration) bool {
	return p.started < len(p.order) && p.planned(p.order[p.started]) <= now
}

// next is a client that is due; false: there is none now.
func (p *pacer) next(now time.Duration) (client int32, due bool) {
	if !p.due(now) {
		return 0, false
	}
	p.started++
	return p.order[p.started-1], true
}

// sleep is how long nobody starts and a thread may sleep. Zero: somebody is due, or
// so soon that the rest must be spun away.
func (p *pacer) sleep(now time.Duration) time.Duration {
	if p.started == len(p.order) {
		return forever
	}
	return max(0, p.planned(p.order[p.started])-now-spinTime)
}

// forever is longer than any run.
const forever = time.Duration(1<<63 - 1)
