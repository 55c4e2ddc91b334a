package predict

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// Run computes the outcome of a scenario on a kernel of this calibration. The error
// says what is wrong with the scenario; an outcome that does not add up is an error
// too. It takes some hundred nanoseconds a client, and up to 100 bytes where many are under way at once.
func Run(s scenario.Scenario, c scenario.Calibration) (scenario.Outcome, error) {
	if err := s.Validate(); err != nil {
		return scenario.Outcome{}, err
	}
	r := newRun(s, c)
	r.play()
	o := r.outcome()
	if err := o.Check(s); err != nil {
		return scenario.Outcome{}, fmt.Errorf("predict: %v does not add up: %w", s, err)
	}
	return o, nil
}

// run is a scenario under way: two kernels, a network between them, and the server's
// program.
type run struct {
	scenario.Scenario
	*timeline
	end     time.Duration
	server  kernel
	clients []client
	queue   fifo[uint32]  // the clients in the accept queue
	ready   time.Duration // when the program, which accepts one in Every, takes the next
	waking  bool          // the program is going to look at the queue again
	count   clientCounters
	timers  timers
	explain func(client uint32, segment string) // called after each decision of the server's kernel, if not nil

	toServer, toClient, planned, wake, write laneID
}

// happening is a kind of event. Those of packets are arrivals: a packet that is sent
// now arrives half a round trip later.
type happening uint8

const (
	connects happening = iota
	synArrives
	synAckArrives
	segmentArrives // the ACK of the handshake, or a challenge ACK
	dataArrives
	rstArrives
	writes
	wakes
	listensAgain
	closesListener
	cookiesEnd
	synTimerFires
	synAckTimerFires
	dataTimerFires
)

// play lets everything happen, up to the horizon.
func (r *run) play() {
	for {
		e, ok := r.next(r.end)
		if !ok {
			return
		}
		r.happen(e)
	}
}

func newRun(s scenario.Scenario, c scenario.Calibration) *run {
	r := &run{
		Scenario: s, end: forever, clients: make([]client, s.Arrivals.Clients()),
		timeline: newTimeline(s.Arrivals, len(s.ListenAgain)+2),
		server: kernel{
			limit: int(s.Limit(s.Backlog)), abort: s.AbortOnOverflow, syncookies: s.SYNCookies,
			maxSYNBacklog: s.MaxSYNBacklog, synQueueExtra: c.SYNQueueExtra,
		},
	}
	if s.Horizon > 0 {
		r.end = s.Horizon
	}
	r.toServer, r.toClient = r.newLane(s.RTT/2), r.newLane(s.RTT-s.RTT/2)
	r.planned, r.wake = r.newLane(0), r.newLane(0)
	if s.Write != nil {
		r.write = r.newLane(*s.Write)
	}
	r.timers = newTimers(r.timeline, s, c)
	r.plan()
	return r
}

// plan schedules what is done at the server at given times. It comes before the
// clients that arrive at the same instant.
func (r *run) plan() {
	var planned []event
	at := func(at time.Duration, what happening) {
		planned = append(planned, event{at: at, seq: uint64(len(planned) + 1), client: uint32(len(planned)), what: what})
	}
	for _, l := range r.ListenAgain {
		at(l.At, listensAgain)
	}
	if r.CloseListener != nil {
		at(*r.CloseListener, closesListener)
	}
	if r.SYNCookiesOff != nil {
		at(*r.SYNCookiesOff, cookiesEnd)
	}
	slices.SortStableFunc(planned, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	for _, e := range planned {
		r.put(r.planned, e)
	}
}

// happen is everything that can happen.
func (r *run) happen(e event) {
	switch e.what {
	case connects:
		r.connect(e.client)
	case synArrives:
		r.synAtServer(e.client)
	case synAckArrives:
		r.synAckAtClient(e.client)
	case segmentArrives, dataArrives:
		r.segmentAtServer(e.client, e.what == dataArrives)
	case rstArrives:
		r.rstAtClient(e.client)
	case writes:
		r.writeByte(e.client)
	case wakes:
		r.waking = false
		r.acceptWaiting()
	case listensAgain:
		r.server.listen(r.Limit(r.ListenAgain[e.client].Backlog))
	case closesListener:
		r.closeListener()
	case cookiesEnd:
		r.server.syncookies = 0
	case synTimerFires:
		r.synTimer(e.client)
	case synAckTimerFires:
		r.synAckTimer(e.client)
	case dataTimerFires:
		r.dataTimer(e.client)
	}
}

func (r *run) synAtServer(n uint32) {
	answer := r.server.syn()
	r.decided(n, "SYN")
	switch answer {
	case synAck:
		r.clients[n].there = request
		r.carry(r.toClient, synAckArrives, n)
		r.armSYNACK(n)
	case synCookie:
		r.clients[n].there = cookie
		r.carry(r.toClient, synAckArrives, n)
	case reset:
		r.carry(r.toClient, rstArrives, n)
	}
}

func (r *run) segmentAtServer(n uint32, data bool) {
	c := &r.clients[n]
	answer := delivered
	switch c.there {
	case nothing:
		answer = r.server.stray()
	case request:
		answer = r.server.segmentOfRequest(c.fired > 0)
	case cookie:
		answer = r.server.segmentWithCookie()
	default:
		r.server.rule = SegmentOfConnection
	}
	if data {
		r.decided(n, "data")
	} else {
		r.decided(n, "ACK")
	}
	switch answer {
	case reset:
		c.there = nothing
		r.carry(r.toClient, rstArrives, n)
	case child:
		c.there = queued
		r.queue.push(n)
		r.acceptWaiting()
	}
	if data && (answer == child || answer == delivered) {
		c.acked = true
	}
}

// acceptWaiting is the server's program: it accepts who waits, as far as its ways
// allow, and else looks again when they do.
func (r *run) acceptWaiting() {
	for r.queue.len > 0 && !r.waking {
		at, ever := r.Accept.Open(max(r.now, r.ready))
		if !ever {
			return
		}
		if at > r.now {
			r.waking = true
			r.at(r.wake, at, wakes)
			return
		}
		r.clients[r.queue.pop()].there = accepted
		r.server.accept--
		r.ready = r.now + r.Accept.Every
	}
}

// closeListener resets who is in the accept queue, the oldest first.
func (r *run) closeListener() {
	r.server.close()
	for r.queue.len > 0 {
		n := r.queue.pop()
		r.clients[n].there = nothing
		r.carry(r.toClient, rstArrives, n)
	}
}

func (r *run) outcome() scenario.Outcome {
	fates := make([]scenario.Fate, len(r.clients))
	for i, c := range r.clients {
		fates[i] = c.fate()
	}
	return scenario.Outcome{
		Fates: scenario.CountFates(fates), ByClient: fates,
		Server: r.server.count.counters(), Client: r.count.counters(), Drops: r.server.count.drops,
	}
}
