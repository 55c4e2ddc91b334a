package wire

import (
	"fmt"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
	"golang.org/x/sys/unix"
)

// Listeners take these ports in turn, so that half-open connections of a run that is
// over cannot be mistaken for those of the next one.
const (
	firstPort = 1024
	lastPort  = 31999
)

// hosts are two hosts on which scenarios are played, however they are joined.
type hosts struct {
	client, server *netlab.Host
	port           int // of the listener played last
}

// trial is one run of a scenario on two hosts.
type trial struct {
	scenario.Scenario
	*hosts
	sockets  *sockets
	byPort   map[uint16]int // which client has which source port
	accepted []bool         // by the server's program
	closed   bool           // the listener is
	drops    uint64         // of the listener, once it is closed

	serverBefore, clientBefore scenario.Counters
}

// newTrial sets the scenario's sysctls, opens the sockets and reads the counters. The
// caller closes the sockets.
func (h *hosts) newTrial(s scenario.Scenario) (*trial, error) {
	if h.port++; h.port > lastPort {
		h.port = firstPort
	}
	t := &trial{Scenario: s, hosts: h, byPort: make(map[uint16]int, s.Arrivals.Clients()), accepted: make([]bool, s.Arrivals.Clients())}
	for key, value := range s.Sysctls() {
		if err := h.server.SetSysctl(key, value); err != nil {
			return nil, err
		}
	}
	var err error
	if t.sockets, err = openSockets(h, s); err != nil {
		return nil, err
	}
	t.serverBefore, t.clientBefore = h.server.Counters(), h.client.Counters()
	return t, nil
}

// connect starts client n and asks for its port.
func (t *trial) connect(n int) error {
	if err := t.sockets.connect(n); err != nil {
		return err
	}
	name, err := unix.Getsockname(t.sockets.clients[n])
	if err != nil {
		return fmt.Errorf("client %d: getsockname: %w", n, err)
	}
	switch name := name.(type) {
	case *unix.SockaddrInet4:
		t.byPort[uint16(name.Port)] = n
	case *unix.SockaddrInet6:
		t.byPort[uint16(name.Port)] = n
	}
	return nil
}

// closeListener closes it and keeps its number of drops, which goes with it.
func (t *trial) closeListener() (err error) {
	if t.drops, err = drops(t.sockets.listener); err != nil {
		return err
	}
	t.closed = true
	return t.sockets.closeListener()
}

// outcome reads what the kernels counted, and then asks them for every client. It must
// add up.
func (t *trial) outcome() (o scenario.Outcome, err error) {
	counters := scenario.OutcomeCounters()
	o.Server = t.server.Counters().Only(counters...).Since(t.serverBefore)
	o.Client = t.client.Counters().Only(counters...).Since(t.clientBefore)
	if !t.closed {
		if t.drops, err = drops(t.sockets.listener); err != nil {
			return o, err
		}
	}
	o.Drops = t.drops
	if o.ByClient, err = t.fates(); err != nil {
		return o, err
	}
	o.Fates = scenario.CountFates(o.ByClient)
	return o, o.Check(t.Scenario)
}
