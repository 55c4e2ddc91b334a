package wire

import (
	"fmt"
	"time"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// maxBurst bounds the clients of a wave: the veth pair loses packets when more than
// net.core.netdev_max_backlog, which is 1000, come at once.
const maxBurst = 900

// Covers tells whether the plug can play the scenario: bursts that are two round trips
// apart, a server that never accepts and clients that never write; and listen(2) again
// only while a burst's SYN-ACKs are under way.
func (p *Plug) Covers(s scenario.Scenario) bool {
	if s.Validate() != nil || s.RTT == 0 || s.Accept.Mode != scenario.AcceptNever || s.Write != nil ||
		s.CloseListener != nil || s.SYNCookiesOff != nil || s.Horizon != 0 {
		return false
	}
	for i, w := range s.Arrivals {
		apart := i == 0 || w.At-s.Arrivals[i-1].At >= 2*s.RTT
		if w.Clients > 1 && w.Gap != 0 || w.Clients > maxBurst || !apart {
			return false
		}
	}
	covered := 0
	for _, w := range s.Arrivals {
		covered += len(during(s, w))
	}
	return covered == len(s.ListenAgain)
}

// during lists the calls of listen(2) between a burst's SYNs and its ACKs.
func during(s scenario.Scenario, w scenario.Wave) []scenario.Listen {
	var all []scenario.Listen
	for _, l := range s.ListenAgain {
		if since := l.At - w.At; since > s.RTT/2 && since < s.RTT+s.RTT/2 {
			all = append(all, l)
		}
	}
	return all
}

// Play plays a scenario that the plug covers, on the kernels at both ends, and tells
// what became of every client and what the kernels counted. It takes no time but the
// kernels': a burst's SYN-ACKs are released as soon as the server has seen its SYNs.
func (p *Plug) Play(s scenario.Scenario) (scenario.Outcome, error) {
	if err := s.Validate(); err != nil {
		return scenario.Outcome{}, err
	}
	if !p.Covers(s) {
		return scenario.Outcome{}, fmt.Errorf("the neighbour plug can play bursts only, whose clients never write, against a server that never accepts: it cannot play %v", s)
	}
	o, err := p.play(s)
	if err != nil {
		return o, fmt.Errorf("plug: %w\nin %v", err, s)
	}
	return o, nil
}

func (p *Plug) play(s scenario.Scenario) (scenario.Outcome, error) {
	t, err := p.hosts.newTrial(s)
	if err != nil {
		return scenario.Outcome{}, err
	}
	defer t.sockets.close()
	first := 0
	for _, w := range s.Arrivals {
		if err := p.burst(t, first, w); err != nil {
			return scenario.Outcome{}, err
		}
		first += w.Clients
	}
	return t.outcome()
}

// burst plays one wave: its SYNs, then the calls of listen(2) meanwhile, then its ACKs.
func (p *Plug) burst(t *trial, first int, w scenario.Wave) error {
	if err := p.Hold(t.IPv6); err != nil {
		return err
	}
	server, client := p.Server.Counters(), p.Client.Counters()
	for n := first; n < first+w.Clients; n++ {
		if err := t.connect(n); err != nil {
			return err
		}
	}
	if err := awaitSegments(p.Server, server, w.Clients); err != nil {
		return err
	}
	for _, again := range during(t.Scenario, w) {
		if err := listen(t.sockets.listener, again.Backlog); err != nil {
			return err
		}
	}
	answered := w.Clients - int(p.Server.Counters().Since(server)["ListenDrops"])
	if err := p.Release(t.IPv6); err != nil {
		return err
	}
	if err := awaitSegments(p.Server, server, w.Clients+answered); err != nil {
		return err
	}
	resets := int(p.Server.Counters().Since(server)["OutRsts"])
	return awaitSegments(p.Client, client, answered+resets)
}

// segmentsTimeout bounds the wait for what takes the kernel microseconds each.
const segmentsTimeout = 5 * time.Second

// awaitSegments returns when the host has received n segments since a reading of its
// counters.
func awaitSegments(h *netlab.Host, before scenario.Counters, n int) error {
	deadline := time.Now().Add(segmentsTimeout)
	for pause := 10 * time.Microsecond; ; pause = min(2*pause, time.Millisecond) {
		got := h.Counters().Since(before)["InSegs"]
		switch {
		case got == uint64(n):
			return nil
		case got > uint64(n):
			return fmt.Errorf("host %s received %d segments, want %d", h.Name(), got, n)
		case time.Now().After(deadline):
			return fmt.Errorf("host %s received %d segments in %v, want %d", h.Name(), got, segmentsTimeout, n)
		}
		time.Sleep(pause)
	}
}
