package wire

import (
	"container/heap"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/rstlab/rstlab/netlab"
	"golang.org/x/sys/unix"
)

// Side is one end of the wire.
type Side uint8

// The ends of the wire.
const (
	Client Side = iota
	Server
)

func (s Side) String() string { return [...]string{"client", "server"}[s] }

// other is the opposite end.
func (s Side) other() Side { return 1 - s }

// Wire joins the two hosts of a lab. It is closed with the lab. Its methods are for
// one goroutine, except where they say otherwise.
type Wire struct {
	Client, Server *netlab.Host

	tb        netlab.TB
	hosts     hosts
	fds       [2]int           // the TUN devices, by side
	latency   [2]time.Duration // of what a side sends
	now       time.Duration
	events    events
	seq       uint64
	immediate []*Packet // under way on a wire without latency
	rules     []*Rule
	packets   []*Packet
	arena     arena
	buffer    []byte

	delivered func(*Packet) error // called after each delivery, if not nil
	recorded  recording
	patient   bool // the client's kernel waits long before it repeats data
}

// New makes a lab with two hosts and the wire between them, without latency. Where
// there is no lab or no TUN device, the test is skipped or ended, as by netlab.New and
// Lab.TUNPair; netlab.TUNAvailable tells before.
func New(tb netlab.TB) *Wire {
	tb.Helper()
	client, server := netlab.New(tb).TUNPair()
	w := &Wire{
		Client: client.Host, Server: server.Host, tb: tb, hosts: hosts{client: client.Host, server: server.Host, port: firstPort},
		fds: [2]int{client.FD(), server.FD()}, buffer: make([]byte, 1<<16),
	}
	return w
}

// SetRTT gives the wire a round-trip time, half of it each way.
func (w *Wire) SetRTT(rtt time.Duration) {
	w.latency = [2]time.Duration{Client: rtt / 2, Server: rtt - rtt/2}
}

// Now is the time since the wire was made or last played: virtual in Run, real in
// Live.
func (w *Wire) Now() time.Duration { return w.now }

// At schedules fn at an instant, or for now if that is over. What is scheduled for the
// same instant happens in the order in which it was scheduled, but a packet on a wire
// without latency arrives before all else.
func (w *Wire) At(at time.Duration, fn func() error) {
	w.schedule(event{at: max(at, w.now), do: fn})
}

func (w *Wire) schedule(e event) {
	w.seq++
	e.seq = w.seq
	heap.Push(&w.events, e)
}

// Run lets virtual time pass until nothing is scheduled and nothing is under way. What
// a rule holds stays held. The error is the first one of what was scheduled, or of a
// device.
func (w *Wire) Run() error {
	if err := w.drain(Client, Server); err != nil {
		return err
	}
	for len(w.immediate) > 0 || len(w.events) > 0 {
		if err := w.step(); err != nil {
			return err
		}
	}
	return nil
}

// step lets the next thing happen, and takes up what the hosts say to it.
func (w *Wire) step() error {
	if len(w.immediate) > 0 {
		p := w.immediate[0]
		w.immediate = w.immediate[1:]
		return w.deliver(p)
	}
	e := heap.Pop(&w.events).(event)
	w.sampleBefore(e.at)
	w.now = max(w.now, e.at)
	if e.packet != nil {
		return w.deliver(e.packet)
	}
	if err := e.do(); err != nil {
		return err
	}
	return w.drain(Client, Server)
}

// drain takes up everything that the hosts have sent, side by side.
func (w *Wire) drain(sides ...Side) error {
	for _, side := range sides {
		for {
			n, err := unix.Read(w.fds[side], w.buffer)
			if errors.Is(err, unix.EAGAIN) {
				break
			}
			if err != nil {
				return fmt.Errorf("read from the %v's device: %w", side, os.NewSyscallError("read", err))
			}
			w.take(side, w.buffer[:n])
		}
	}
	return nil
}

// discard throws away everything that the hosts have sent.
func (w *Wire) discard() error {
	for _, fd := range w.fds {
		for {
			if _, err := unix.Read(fd, w.buffer); errors.Is(err, unix.EAGAIN) {
				break
			} else if err != nil {
				return os.NewSyscallError("read", err)
			}
		}
	}
	return nil
}

// take puts a packet on its way. Multicast is the hosts' talk with routers that are
// not there; it comes when it likes and is let go.
func (w *Wire) take(from Side, data []byte) {
	if isMulticast(data) {
		return
	}
	p := &Packet{Sent: w.now, From: from, Data: w.arena.copy(data)}
	w.packets = append(w.packets, p)
	for _, r := range w.rules {
		if r.match(p) {
			r.count.Add(1)
			r.action(w, r, p)
			return
		}
	}
	w.carry(p)
}

// carry lets a packet travel.
func (w *Wire) carry(p *Packet) {
	latency := w.latency[p.From]
	if latency == 0 {
		w.immediate = append(w.immediate, p)
		return
	}
	w.schedule(event{at: w.now + latency, packet: p})
}

// deliver hands a packet to the other host, takes up what that one answers, which it
// has done when the write returns, and tells the player.
func (w *Wire) deliver(p *Packet) error {
	to := p.From.other()
	if _, err := unix.Write(w.fds[to], p.Data); err != nil {
		return fmt.Errorf("write to the %v's device: %w", to, os.NewSyscallError("write", err))
	}
	p.Arrived = append(p.Arrived, w.now)
	if err := w.drain(to); err != nil || w.delivered == nil {
		return err
	}
	return w.delivered(p)
}

// event is something that is going to happen: a packet's arrival or a function.
type event struct {
	at     time.Duration
	seq    uint64
	packet *Packet
	do     func() error
}

// events is a heap, the next event first.
type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].seq < e[j].seq
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	*e = (*e)[:last]
	return x
}
