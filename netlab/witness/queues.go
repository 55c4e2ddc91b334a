package witness

import (
	"slices"
	"time"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// queueLog is how the queues of one host's listeners stood.
type queueLog struct {
	scenario.QueueLog
	host *netlab.Host
	pace pace // of the looks at the SYN queues
}

// longestLook bounds how long a look at the SYN queues may take, which nothing but the
// picture needs. One that a busy machine held up longer would stand at the wrong time in
// it, and is not kept.
const longestLook = 10 * time.Millisecond

// note keeps the readings of a time that tell something new. The SYN queues, which cost
// more, are looked at when their pace allows it. With all set everything is looked at, and
// kept.
func (l *queueLog) note(start time.Time, at time.Duration, readings []scenario.QueueSample, all bool) {
	now := time.Since(start)
	if len(readings) > 0 && (all || l.pace.due(now)) {
		looked := l.look(readings, now)
		if all || time.Since(start)-now <= longestLook {
			readings = looked
		}
	}
	l.Note(at, readings, all)
}

// look gives the readings with the SYN queues, and keeps the pace.
func (l *queueLog) look(readings []scenario.QueueSample, now time.Duration) []scenario.QueueSample {
	looked := slices.Clone(readings)
	cost := processorTime(func() { l.host.CountHalfOpen(looked) })
	l.pace.spent(now, cost)
	return looked
}
