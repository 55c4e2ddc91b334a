package witness

import (
	"time"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// queueLog is how the accept queues of one host's listeners stood.
type queueLog struct {
	scenario.QueueLog
	host *netlab.Host
}

// look keeps the readings that tell something new. With all set it keeps every one, with
// the length of the SYN queue, which the kernel counts for a port and takes a millisecond
// or two for.
func (l *queueLog) look(at time.Duration, readings []scenario.QueueSample, all bool) {
	if all {
		halfOpen := map[uint16]int{}
		for i, q := range readings {
			port := q.Listener.Port()
			if _, known := halfOpen[port]; !known {
				halfOpen[port] = len(l.host.SYNQueue(int(port)))
			}
			readings[i].SYNQueue = halfOpen[port]
		}
	}
	l.Note(at, readings, all)
}
