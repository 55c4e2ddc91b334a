package main

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// ends are what the server had of its clients at the horizon.
type ends struct {
	accepted          map[netip.AddrPort]bool
	connected, halves []netip.AddrPort
}

func (r *real) look() ends {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := ends{accepted: map[netip.AddrPort]bool{}, connected: r.server.Connections(frontPort), halves: r.server.SYNQueue(frontPort)}
	for client := range r.accepted {
		e.accepted[client] = true
	}
	return e
}

// fate is a client's, as somebody sees who looks at both ends. Clients that had none at
// the horizon were cut off there.
func (e ends) fate(c loadclient.Client) scenario.Fate {
	local := unmapped(c.Local)
	switch {
	case c.Fate == scenario.Served, c.Fate == scenario.Reset, c.Fate == scenario.Refused:
		return c.Fate
	case c.Fate == scenario.ResetAfterRequest:
		return scenario.Reset
	case e.accepted[local]:
		return scenario.Served
	case c.Connected == 0:
		return scenario.SYNDropped
	case slices.Contains(e.connected, local):
		return scenario.Queued
	case slices.Contains(e.halves, local):
		return scenario.Kept
	}
	return scenario.Ghost
}

// unmapped is an IPv4 address as such, however a socket tells it.
func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// patientConn is a client's connection whose first byte is written a while after the
// connect, or never.
type patientConn struct {
	net.Conn
	begin  time.Time
	write  *time.Duration // nil: never
	once   sync.Once
	closed chan struct{}
}

func (c *patientConn) Write(p []byte) (int, error) {
	var due <-chan time.Time
	if c.write != nil {
		timer := time.NewTimer(time.Until(c.begin.Add(*c.write)))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-due:
		return c.Conn.Write(p)
	case <-c.closed:
		return 0, net.ErrClosed
	}
}

// Close also ends a Write that waits.
func (c *patientConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}
