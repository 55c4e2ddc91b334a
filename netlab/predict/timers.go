package predict

import (
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// Constants of the kernel's timers.
const (
	synRetries  = 6                      // tcp_syn_retries of a lab's host
	firstRTO    = time.Second            // TCP_TIMEOUT_INIT, include/net/tcp.h
	longestRTO  = 120 * time.Second      // TCP_RTO_MAX
	maxResends  = 15                     // tcp_retries2
	shortestRTO = 200 * time.Millisecond // TCP_RTO_MIN
)

// timers are the kernels' timers in a run with a horizon; without one they stand
// still. A lane is for one delay, so many timers share it.
type timers struct {
	on     bool
	wheel  wheel
	syn    []laneID // by the number of SYNs sent after the first one
	synAck []laneID // by the number of times the timer has fired
	data   []laneID // by the number of times the byte was sent, less one
}

// newTimers makes the lanes: one for each delay that occurs.
func newTimers(t *timeline, s scenario.Scenario, c scenario.Calibration) timers {
	if s.Horizon == 0 {
		return timers{}
	}
	lanes := map[time.Duration]laneID{}
	laneFor := func(delay time.Duration) laneID {
		if _, ok := lanes[delay]; !ok {
			lanes[delay] = t.newLane(delay)
		}
		return lanes[delay]
	}
	all := timers{on: true, wheel: wheel{c.Tick}}
	for sent := range synRetries + c.LinearSYNTimeouts + 1 {
		all.syn = append(all.syn, laneFor(doubled(firstRTO, max(0, sent-c.LinearSYNTimeouts))))
	}
	for fired := range s.SYNACKRetries + 1 {
		all.synAck = append(all.synAck, laneFor(doubled(firstRTO, fired)))
	}
	rto := s.RTT + max(2*s.RTT, shortestRTO)
	all.data = []laneID{laneFor(min(2*s.RTT+shortestRTO, rto))}
	for times := range maxResends {
		all.data = append(all.data, laneFor(doubled(rto, times)))
	}
	return all
}

// doubled is a time-out after so many times.
func doubled(timeout time.Duration, times int) time.Duration {
	for range times {
		timeout = min(2*timeout, longestRTO)
	}
	return timeout
}

// arm starts a timer: it fires after its lane's delay, as the wheel has it.
func (r *run) arm(l laneID, what happening, client uint32) {
	r.seq++
	r.put(l, event{r.timers.wheel.fires(r.now, r.lanes[l].delay), r.seq, client, what})
}

func (r *run) armSYN(n uint32) {
	if r.timers.on {
		r.arm(r.timers.syn[r.clients[n].synsSent], synTimerFires, n)
	}
}

func (r *run) armSYNACK(n uint32) {
	if r.timers.on {
		r.arm(r.timers.synAck[r.clients[n].fired], synAckTimerFires, n)
	}
}

// synTimer repeats the SYN of a client that was not answered: tcp_retransmit_timer
// and tcp_write_timeout (net/ipv4/tcp_timer.c). The first tcp_syn_linear_timeouts
// repeats come a second apart, and then the time doubles.
func (r *run) synTimer(n uint32) {
	c := &r.clients[n]
	if c.here != synSent {
		return
	}
	r.count.timeouts++
	if int(c.synsSent) == len(r.timers.syn)-1 {
		r.count.attemptFails++
		c.here = gaveUp // ETIMEDOUT
		return
	}
	c.synsSent++
	r.count.retransSegs++
	r.count.synRetrans++
	r.carry(r.toServer, synArrives, n)
	r.armSYN(n)
}

// synAckTimer repeats the SYN-ACK of a request, or lets the request go without a
// word: reqsk_timer_handler (net/ipv4/inet_connection_sock.c).
func (r *run) synAckTimer(n uint32) {
	c := &r.clients[n]
	if c.there != request {
		return
	}
	if r.server.closed {
		r.server.forget(c.fired > 0)
		c.there = nothing
		return
	}
	r.server.count.timeouts++
	if r.server.expires(int(c.fired), r.SYNACKRetries) {
		r.server.forget(c.fired > 0)
		c.there = nothing
		return
	}
	if c.fired == 0 {
		r.server.young--
	}
	c.fired++
	r.server.count.retransSegs++
	r.server.count.synRetrans++
	r.carry(r.toClient, synAckArrives, n)
	r.armSYNACK(n)
}

func (r *run) armData(n uint32) {
	if c := &r.clients[n]; r.timers.on && int(c.resent) < len(r.timers.data) {
		r.arm(r.timers.data[c.resent], dataTimerFires, n)
	}
}

// dataTimer repeats the first byte of a client until the server's kernel has it. The
// first repeat is a tail loss probe, which is no time-out: tcp_schedule_loss_probe
// (net/ipv4/tcp_output.c); those after it are tcp_retransmit_timer's. The time-out is
// that of tcp_rtt_estimator and __tcp_set_rto (net/ipv4/tcp_input.c) after one sample.
func (r *run) dataTimer(n uint32) {
	c := &r.clients[n]
	if c.acked || c.here != established {
		return
	}
	if c.resent > 0 {
		r.count.timeouts++
	}
	c.resent++
	r.count.retransSegs++
	r.writeByte(n)
}
