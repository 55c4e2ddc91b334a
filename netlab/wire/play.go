package wire

import (
	"context"
	"fmt"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// MaxClients bounds the clients of a scenario that is played: one descriptor each, and
// one more when it is accepted.
const MaxClients = 9000

// Play plays a scenario on the kernels at both ends, in virtual time, and tells what
// became of every client and what the kernels counted. A wire can be played again and
// again.
//
// The kernels' timers stay real. Without a horizon the run must end within a second of
// real time, after which TCP repeats SYNs; timers that fired nevertheless are an error.
// With a horizon all of it happens in real time. What is due at one instant is still
// done in order before anything later, so counts are exact as long as a scenario keeps
// what the timers do apart from everything else by more than the machine is late.
func (w *Wire) Play(s scenario.Scenario) (scenario.Outcome, error) {
	if err := s.Validate(); err != nil {
		return scenario.Outcome{}, err
	}
	if n := s.Arrivals.Clients(); n > MaxClients {
		return scenario.Outcome{}, fmt.Errorf("number of clients in arrivals is %d, want at most %d in virtual time, each with descriptors of its own", n, MaxClients)
	}
	w.forget()
	o, err := w.play(s)
	if err != nil {
		return o, fmt.Errorf("virtual: %w\nin %v", err, s)
	}
	return o, nil
}

// forget makes the wire as new, for the next run.
func (w *Wire) forget() {
	w.now, w.seq = 0, 0
	w.events, w.immediate, w.rules, w.packets = w.events[:0], nil, nil, w.packets[:0]
	w.arena.used = 0
}

// play is one run of a scenario on a wire.
type play struct {
	*trial
	wire    *Wire
	clients []clientState
	ready   time.Duration // when the program, which accepts one in Every, takes the next
	waking  bool          // the program is going to look at the queue again
}

// clientState is what the packets tell of a client's socket.
type clientState uint8

const (
	connecting clientState = iota
	established
	gone // it was reset or refused
)

func (w *Wire) play(s scenario.Scenario) (o scenario.Outcome, err error) {
	w.SetRTT(s.RTT)
	t, err := w.hosts.newTrial(s)
	if err != nil {
		return o, err
	}
	p := &play{trial: t, wire: w, clients: make([]clientState, s.Arrivals.Clients())}
	defer p.sweep(&err)
	w.delivered = p.delivered
	if w.recorded.on {
		w.Record()
	}
	p.plan()
	if err := p.pass(); err != nil {
		return o, err
	}
	w.sample()
	return p.outcome()
}

// pass lets the time of the scenario pass.
func (p *play) pass() error {
	if p.Horizon == 0 {
		if err := p.wire.setPatient(true); err != nil {
			return err
		}
		return p.wire.Run()
	}
	ctx, cancel := context.WithTimeout(context.Background(), p.Horizon)
	defer cancel()
	return p.wire.Live(ctx)
}

// sweep closes what the run has left, and throws away what was still to happen, which
// may be about closed descriptors, and what the hosts still say.
func (p *play) sweep(err *error) {
	p.wire.delivered = nil
	p.wire.events, p.wire.immediate = p.wire.events[:0], nil
	p.sockets.close()
	if swept := p.wire.discard(); *err == nil {
		*err = swept
	}
}

// plan schedules what is known from the start: first what the server's program does,
// then the clients in the order of their numbers.
func (p *play) plan() {
	for _, again := range p.ListenAgain {
		p.wire.At(again.At, func() error { return listen(p.sockets.listener, again.Backlog) })
	}
	if p.CloseListener != nil {
		p.wire.At(*p.CloseListener, p.closeListener)
	}
	if p.SYNCookiesOff != nil {
		p.wire.At(*p.SYNCookiesOff, func() error { return p.server.SetSysctl(scenario.SYNCookiesKey, "0") })
	}
	for n, due := range p.Arrivals.Due() {
		p.wire.At(due, func() error { return p.arrive(n) })
	}
}

// arrive starts client n, which sends one SYN.
func (p *play) arrive(n int) error {
	sent := len(p.wire.packets)
	if err := p.connect(n); err != nil {
		return err
	}
	if err := p.wire.drain(Client); err != nil {
		return err
	}
	if len(p.wire.packets) != sent+1 || !p.wire.packets[sent].Is(scenario.SYN) {
		return fmt.Errorf("client %d: its connect sent %d packets, want one SYN", n, len(p.wire.packets)-sent)
	}
	return nil
}

// delivered follows the clients' sockets, lets them write, and lets the server accept.
func (p *play) delivered(packet *Packet) error {
	s, ok := packet.Segment()
	if !ok {
		return nil
	}
	if packet.From == Client {
		if s.Flags&scenario.SYN != 0 {
			return nil // completes no handshake
		}
		return p.acceptWaiting()
	}
	n, known := p.byPort[s.Target.Port()]
	switch {
	case !known:
		return fmt.Errorf("the server sent a packet to nobody: %v", packet)
	case s.Flags&scenario.RST != 0:
		p.clients[n] = gone
	case s.Flags&scenario.SYN != 0 && p.clients[n] == connecting:
		p.clients[n] = established
		switch {
		case p.Write == nil:
		case *p.Write == 0:
			return p.write(n)
		default:
			p.wire.At(p.wire.now+*p.Write, func() error { return p.write(n) })
		}
	}
	return nil
}

// write sends client n's first byte, if it still has a connection.
func (p *play) write(n int) error {
	if p.clients[n] != established {
		return nil
	}
	if err := p.sockets.write(n); err != nil {
		return err
	}
	return p.wire.drain(Client)
}

// acceptWaiting is the server's program: it accepts who waits, as far as its ways
// allow, and else looks again when they do.
func (p *play) acceptWaiting() error {
	for !p.closed && !p.waking {
		at, ever := p.Accept.Open(max(p.wire.now, p.ready))
		if !ever {
			return nil
		}
		if at > p.wire.now {
			return p.wakeAt(at)
		}
		from, err := p.sockets.accept()
		if err != nil || from == 0 {
			return err
		}
		p.accepted[p.byPort[from]] = true
		p.ready = p.wire.now + p.Accept.Every
	}
	return nil
}

// wakeAt looks at the queue again at an instant, if somebody waits in it.
func (p *play) wakeAt(at time.Duration) error {
	waiting, err := queueLength(p.sockets.listener)
	if err != nil || waiting == 0 {
		return err
	}
	p.waking = true
	p.wire.At(at, func() error {
		p.waking = false
		return p.acceptWaiting()
	})
	return nil
}
