package tests

import (
	"fmt"
	"time"
)

// A row of the story is one run: who overflows, and how the three knobs stand.
type row struct {
	hop     string        // whose accept queue is in question: "front" or "backend"
	clients int           // how many
	backlog int           // of that hop's listener
	pace    time.Duration // it accepts one connection in this time
	gap     time.Duration // between two clients; zero is a burst
	abort   bool          // tcp_abort_on_overflow on that hop's host
	resets  bool          // do resets appear?
	long    bool          // only with -full
}

// How long a client waits for its answer, and the front for its backend. Both are
// much longer than the four seconds that a row needs to accept everybody, and the
// front gives up first, so that its client hears why.
const (
	clientPatience = 10 * time.Second
	frontPatience  = 7 * time.Second
)

// slow are accept loops that are too slow for a burst, and fast enough for clients
// 20 ms apart. In the second until the kernel repeats the dropped SYNs, each makes
// less room than its backlog's worth: at 10 ms an accept and backlog 128 there is
// room for 100, and of the 129 SYNs that are then answered 29 find the queue full.
var slow = []struct {
	clients, backlog int
	pace             time.Duration
}{
	{400, 128, 10 * time.Millisecond},
	{800, 256, 5 * time.Millisecond},
	{2000, 640, 2 * time.Millisecond},
}

// rows is the story: the resets appear in a burst, and disappear with each of the
// three knobs.
func rows() []row {
	var all []row
	for _, hop := range []string{"front", "backend"} {
		for _, s := range slow {
			burst := row{hop: hop, clients: s.clients, backlog: s.backlog, pace: s.pace, abort: true, resets: true}
			silent := burst
			silent.abort, silent.resets = false, false
			fits := burst
			fits.backlog, fits.resets = s.clients, false
			paced := burst
			paced.gap, paced.resets, paced.long = 20*time.Millisecond, false, s.clients > 400
			all = append(all, burst, silent, fits, paced)
		}
	}
	return all
}

// name has the knobs in it, as the name of the subtest.
func (r row) name() string {
	return fmt.Sprintf("%s/clients=%d,backlog=%d,abort=%s,%s", r.hop, r.clients, r.backlog, r.abortValue(), r.arrivals())
}

func (r row) abortValue() string {
	if r.abort {
		return "1"
	}
	return "0"
}

func (r row) arrivals() string {
	if r.gap == 0 {
		return "burst"
	}
	return "gap=" + r.gap.String()
}

// fits tells whether the accept queue can hold whatever waits at one time, so that
// nothing at all may be dropped.
func (r row) fits() bool { return r.backlog >= r.clients || r.gap >= r.pace }

// span is how long the arrivals take; a burst takes no time by intention.
func (r row) span() time.Duration { return time.Duration(r.clients-1) * r.gap }
