package main

import (
	"fmt"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// abort sets tcp_abort_on_overflow.
func (f *field) abort(on bool) error {
	value := map[bool]string{false: "0", true: "1"}[on]
	return f.Server.SetSysctl("net.ipv4.tcp_abort_on_overflow", value)
}

// trial is one stall with its clients.
type trial struct {
	*field
	*crowd
	server, client scenario.Counters // before
	queued         queue             // before
}

// stall pauses the server, and makes room for n clients. The caller closes the crowd.
func (f *field) stall(n int) (*trial, error) {
	c, err := newCrowd(f.Client, f.Server, n)
	if err != nil {
		return nil, err
	}
	f.proc.Pause()
	return &trial{f, c, f.Server.Counters(), f.Client.Counters(), f.queue()}, nil
}

// arrive has client n connect and ask, and tells whether it is in the accept queue. All
// that the kernel does about it is over then.
func (t *trial) arrive(n int) (fits bool, err error) {
	before := t.queue()
	if err := t.connect(n); err != nil {
		return false, err
	}
	var fate scenario.Fate
	what := fmt.Sprintf("the SYN of client %d to be answered or dropped", n)
	err = await(what, kernelPatience, func() (bool, error) {
		dropped := t.queue().drops > before.drops // read first: if it is not the SYN but a deferred ACK, the client is connected by now
		fate, err = t.fate(n)
		return fate != scenario.SYNDropped || dropped, err
	})
	if err != nil || fate != scenario.Undecided {
		return false, err
	}
	if err := t.write(n, t.Request); err != nil {
		return false, err
	}
	if t.defers {
		before.drops++ // of the bare ACK
	}
	what = fmt.Sprintf("client %d to be in the accept queue or dropped", n)
	err = await(what, kernelPatience, func() (bool, error) {
		now := t.queue()
		fits = now.length > before.length
		return fits || now.drops > before.drops, nil
	})
	return fits, err
}

// outcome is what has become of the first n clients so far, as predict tells it.
func (t *trial) outcome(n int) (scenario.Outcome, error) {
	fates, err := t.fates(n, t.Server)
	if err != nil {
		return scenario.Outcome{}, err
	}
	counters := scenario.OutcomeCounters()
	return scenario.Outcome{
		Fates: scenario.CountFates(fates), ByClient: fates,
		Server: t.Server.Counters().Since(t.server).Only(counters...),
		Client: t.Client.Counters().Since(t.client).Only(counters...),
		Drops:  t.queue().drops - t.queued.drops,
	}, nil
}

// resume lets the server go on, and tells how many of the first n clients it answers.
// Clients from asked on ask when they are connected.
func (t *trial) resume(n, asked int) (answered int, err error) {
	t.proc.Resume()
	return t.answers(n, asked, t.field.server, answerPatience)
}

// end lets everybody leave.
func (t *trial) end() error {
	t.close()
	return t.awaitIdle()
}

// OneMore is what became of a burst of one client more than fits.
type OneMore struct {
	Burst      int            `json:"burst"`       // clients that fit
	Queues     []uint32       `json:"queues"`      // lengths of the accept queues then, by listener
	Stalled    scenario.Fates `json:"stalled"`     // of all, while the server was
	Answered   int            `json:"answered"`    // clients, once it went on
	SYNRepeats int            `json:"syn_repeats"` // of the last client until it was connected
}

// oneMore lets a burst grow, one client at a time, until one is not let in: that is the
// largest burst and one more. It cannot be larger than most.
func (f *field) oneMore(most int) (outcome scenario.Outcome, o OneMore, err error) {
	t, err := f.stall(most + 1)
	if err != nil {
		return outcome, o, err
	}
	defer t.close()
	for ; ; o.Burst++ {
		if o.Burst > most {
			return outcome, o, fmt.Errorf("%d clients are in accept queues with room for %d", o.Burst, most)
		}
		fits, err := t.arrive(o.Burst)
		if err != nil {
			return outcome, o, err
		}
		if !fits {
			break
		}
	}
	clients := o.Burst + 1
	if outcome, err = t.outcome(clients); err != nil {
		return outcome, o, err
	}
	o.Stalled = outcome.Fates
	for _, q := range listeners(f.Server.AcceptQueues()) {
		o.Queues = append(o.Queues, q.Length)
	}
	if o.Answered, err = t.resume(clients, o.Burst); err != nil {
		return outcome, o, err
	}
	if o.SYNRepeats, err = t.repeats(o.Burst); err != nil {
		return outcome, o, err
	}
	return outcome, o, t.end()
}

// UnderWay is what became of clients whose handshakes were under way when the accept
// queue became full.
type UnderWay struct {
	Clients  int            `json:"clients"` // whose handshakes were under way, two for each place in the queue
	Stalled  scenario.Fates `json:"stalled"` // of all clients, also those that were in the queue
	Answered int            `json:"answered"`
}

// settlePatience is less than after which the kernel's timers fire.
const settlePatience = 500 * time.Millisecond

// underWay plays the scenario of crossing, whose outcome is predicted: the accept queue
// fills up to some room, and then twice as many clients come from afar, so that all their
// handshakes are under way before the first one completes.
func (f *field) underWay(s scenario.Scenario, want scenario.Outcome) (outcome scenario.Outcome, u *UnderWay, err error) {
	u = &UnderWay{}
	first := s.Arrivals[0].Clients
	u.Clients = s.Arrivals[1].Clients
	t, err := f.stall(first + u.Clients)
	if err != nil {
		return outcome, u, err
	}
	defer t.close()
	for n := range first {
		if fits, err := t.arrive(n); err != nil || !fits {
			return outcome, u, fmt.Errorf("client %d of %d is not let in (%w)", n, first, err)
		}
	}
	if err := t.handshakes(first, u.Clients); err != nil {
		return outcome, u, err
	}
	// All segments have arrived; what the last one leads to may take the kernel a moment.
	_ = await("the outcome to be as predicted", settlePatience, func() (bool, error) {
		outcome, err = t.outcome(first + u.Clients)
		return scenario.Differences(s, want, outcome) == nil, err
	})
	if err != nil {
		return outcome, u, err
	}
	u.Stalled = outcome.Fates
	asked := first
	if t.defers {
		asked += u.Clients
	}
	if u.Answered, err = t.resume(first+u.Clients, asked); err != nil {
		return outcome, u, err
	}
	return outcome, u, t.end()
}

// handshakes has clients connect whose handshakes are all under way at once. A client of a
// server that defers accept also asks: it is its first data that completes the handshake.
func (t *trial) handshakes(first, clients int) error {
	if err := t.Hold(false); err != nil {
		return err
	}
	before := t.Server.Counters()
	arrived := func(what string, segments int) error {
		return await(fmt.Sprintf("%d segments (%s) at the server", segments, what), kernelPatience, func() (bool, error) {
			return t.Server.Counters().Since(before)["InSegs"] == uint64(segments), nil
		})
	}
	for n := first; n < first+clients; n++ {
		if err := t.connect(n); err != nil {
			return err
		}
	}
	if err := arrived("SYNs", clients); err != nil {
		return err
	}
	if err := t.Release(false); err != nil {
		return err
	}
	if err := arrived("SYNs, ACKs", 2*clients); err != nil || !t.defers {
		return err
	}
	for n := first; n < first+clients; n++ {
		if err := t.write(n, t.Request); err != nil {
			return err
		}
	}
	return nil
}
