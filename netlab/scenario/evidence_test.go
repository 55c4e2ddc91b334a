package scenario

import (
	"net/netip"
	"slices"
	"testing"
	"time"
)

// Listeners that share an address have samples of their own, and one that is closed has a
// last one, whose reading is the one before.
func TestQueueLog(t *testing.T) {
	t.Parallel()
	var log QueueLog
	addr := netip.MustParseAddrPort("198.18.0.2:8080")
	one := QueueSample{Listener: addr, Inode: 70, Limit: 1, SYNQueue: -1}
	two := QueueSample{Listener: addr, Inode: 60, Limit: 1, SYNQueue: -1}
	fuller, halfOpen := one, two
	fuller.Length, halfOpen.SYNQueue = 1, 9
	log.Note(1, []QueueSample{one, two}, false)
	log.Note(2, []QueueSample{two, one}, false) // the kernel may list them in any order
	log.Note(3, []QueueSample{fuller, two}, false)
	log.Note(4, []QueueSample{two}, false)
	log.Note(5, []QueueSample{two}, false)
	log.Note(6, []QueueSample{halfOpen}, true)
	log.Note(7, []QueueSample{two}, false)
	log.Note(8, nil, false)
	want := []QueueSample{
		{At: 1, Listener: addr, Inode: 70, Limit: 1, SYNQueue: -1},
		{At: 1, Listener: addr, Inode: 60, Limit: 1, SYNQueue: -1},
		{At: 3, Listener: addr, Inode: 70, Limit: 1, Length: 1, SYNQueue: -1},
		{At: 4, Listener: addr, Inode: 70, Limit: 1, Length: 1, SYNQueue: -1, Gone: true},
		{At: 6, Listener: addr, Inode: 60, Limit: 1, SYNQueue: 9},
		{At: 8, Listener: addr, Inode: 60, Limit: 1, SYNQueue: -1, Gone: true},
	}
	if !slices.Equal(log.Samples, want) {
		t.Errorf("samples are\n%+v, want\n%+v", log.Samples, want)
	}
}

// A listener that another one joins at its address has a sample of it: its half-open
// connections are those of both from then on.
func TestQueueLogOfMembers(t *testing.T) {
	t.Parallel()
	var log QueueLog
	alone, member := QueueSample{Inode: 60, SYNQueue: 2}, QueueSample{Inode: 60, SYNQueue: 2, Members: 2}
	joined := QueueSample{Inode: 70, SYNQueue: -1, Members: 2}
	log.Note(1, []QueueSample{alone}, false)
	log.Note(2, []QueueSample{member, joined}, false)
	log.Note(3, []QueueSample{member, joined}, false)
	want := []QueueSample{
		{At: 1, Inode: 60, SYNQueue: 2}, {At: 2, Inode: 60, SYNQueue: 2, Members: 2}, {At: 2, Inode: 70, SYNQueue: -1, Members: 2},
	}
	if !slices.Equal(log.Samples, want) {
		t.Errorf("samples are\n%+v, want\n%+v", log.Samples, want)
	}
}

// Between two looks at the SYN queue nothing is known of it. A look is kept if it differs
// from the last look, however many readings without one came between.
func TestQueueLogOfSYNQueue(t *testing.T) {
	t.Parallel()
	var log QueueLog
	for at, r := range []QueueSample{
		{SYNQueue: -1}, {SYNQueue: 0}, {SYNQueue: -1}, {SYNQueue: 0}, {SYNQueue: 7}, {SYNQueue: -1},
		{SYNQueue: 7}, {SYNQueue: -1, Length: 1}, {SYNQueue: 7, Length: 1}, {SYNQueue: 0, Length: 1},
	} {
		log.Note(time.Duration(at), []QueueSample{r}, false)
	}
	want := []QueueSample{
		{At: 0, SYNQueue: -1}, {At: 1, SYNQueue: 0}, {At: 4, SYNQueue: 7}, {At: 7, SYNQueue: -1, Length: 1}, {At: 9, SYNQueue: 0, Length: 1},
	}
	if !slices.Equal(log.Samples, want) {
		t.Errorf("samples are\n%+v, want\n%+v", log.Samples, want)
	}
}
