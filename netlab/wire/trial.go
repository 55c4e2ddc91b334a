package wire

import (
	"fmt"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
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
	knobs          knobs
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

// newTrial sets the scenario's knobs, opens the sockets and reads the counters. The
// caller closes the sockets.
func (h *hosts) newTrial(s scenario.Scenario) (*trial, error) {
	if h.port++; h.port > lastPort {
		h.port = firstPort
	}
	t := &trial{Scenario: s, hosts: h, byPort: make(map[uint16]int, s.Arrivals.Clients()), accepted: make([]bool, s.Arrivals.Clients())}
	if err := t.turnKnobs(); err != nil {
		return nil, err
	}
	var err error
	if t.sockets, err = openSockets(h, s); err != nil {
		return nil, err
	}
	t.serverBefore, t.clientBefore = h.server.Counters(), h.client.Counters()
	return t, nil
}

const cookiesKey = "net.ipv4.tcp_syncookies"

func (t *trial) turnKnobs() error {
	abort := "0"
	if t.AbortOnOverflow {
		abort = "1"
	}
	for _, knob := range []struct{ key, value string }{
		{"net.core.somaxconn", fmt.Sprint(t.Somaxconn)},
		{"net.ipv4.tcp_abort_on_overflow", abort},
		{cookiesKey, fmt.Sprint(t.SYNCookies)},
		{"net.ipv4.tcp_max_syn_backlog", fmt.Sprint(t.MaxSYNBacklog)},
		{"net.ipv4.tcp_synack_retries", fmt.Sprint(t.SYNACKRetries)},
	} {
		if err := t.knobs.set(t.server, knob.key, knob.value); err != nil {
			return err
		}
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
	o.Server = t.server.Counters().Since(t.serverBefore).Only(counters...)
	o.Client = t.client.Counters().Since(t.clientBefore).Only(counters...)
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
