package witness

import (
	"maps"
	"slices"
	"time"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// queueLog is how the accept queues of one host's listeners stood.
type queueLog struct {
	host    *netlab.Host
	samples []scenario.QueueSample
	last    map[uint32]netlab.AcceptQueue // of the listeners that are there, by inode
}

// look keeps the accept queues that differ from the last sample, and once that a listener
// is gone. With all set it keeps every one, with the length of the SYN
// queue, which the kernel counts for a port and takes a millisecond or two for.
func (l *queueLog) look(at time.Duration, queues []netlab.AcceptQueue, all bool) {
	var halfOpen map[uint16]int
	if all {
		halfOpen = map[uint16]int{}
		for _, q := range queues {
			if _, known := halfOpen[q.Addr.Port()]; !known {
				halfOpen[q.Addr.Port()] = len(l.host.SYNQueue(int(q.Addr.Port())))
			}
		}
	}
	l.note(at, queues, halfOpen)
}

// note keeps the queues that differ from the last sample, or all if it is known how many
// connections are half-open on each port.
func (l *queueLog) note(at time.Duration, queues []netlab.AcceptQueue, halfOpen map[uint16]int) {
	before := l.last
	l.last = map[uint32]netlab.AcceptQueue{}
	for _, q := range queues {
		l.last[q.Inode] = q
	}
	for _, inode := range slices.Sorted(maps.Keys(before)) {
		if _, still := l.last[inode]; !still {
			gone := sampleOf(at, before[inode])
			gone.Gone = true
			l.samples = append(l.samples, gone)
		}
	}
	for _, q := range queues {
		sample := sampleOf(at, q)
		if halfOpen != nil {
			sample.SYNQueue = halfOpen[q.Addr.Port()]
		} else if last, known := before[q.Inode]; known && last == q {
			continue
		}
		l.samples = append(l.samples, sample)
	}
}

// sampleOf has no SYN queue.
func sampleOf(at time.Duration, q netlab.AcceptQueue) scenario.QueueSample {
	return scenario.QueueSample{
		At: at, Listener: q.Addr, Inode: q.Inode, Length: q.Length, Limit: q.Limit, Drops: q.Drops, SYNQueue: -1,
	}
}
