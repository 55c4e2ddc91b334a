package netlab

import (
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"
)

// SYNQueue lists the clients of the host's half-open connections to a port, those in
// SYN_RECV, ordered by address. Half-open connections outlive their listener until
// their next segment or timer. A connection whose SYN was answered with a SYN cookie
// is not there: the host keeps nothing of it.
//
// The kernel looks through its whole table of connections, which takes a millisecond
// or two.
//
// Source, checked on v6.18: inet_req_diag_fill (net/ipv4/inet_diag.c).
func (h *Host) SYNQueue(port int) []netip.AddrPort { return h.clientsIn(tcpSynRecv, port) }

// Connections lists the clients of the host's established connections to a port,
// ordered by address: those that the program has accepted and those that wait in the
// accept queue. It takes as long as SYNQueue.
func (h *Host) Connections(port int) []netip.AddrPort { return h.clientsIn(tcpEstablished, port) }

// clientsIn lists the clients of the sockets in one state of a port.
func (h *Host) clientsIn(state, port int) []netip.AddrPort {
	h.lab.tb.Helper()
	var clients []netip.AddrPort
	err := h.withDiag(func(diag *diagSocket) error {
		for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
			found, err := diag.clients(family, state, port)
			if err != nil {
				return err
			}
			clients = append(clients, found...)
		}
		return nil
	})
	if err != nil {
		h.lab.tb.Fatalf("netlab: host %s: list the connections to port %d: %v", h.name, port, err)
	}
	slices.SortFunc(clients, netip.AddrPort.Compare)
	return clients
}

// clients dumps the sockets in one state of a port, of one address family, and gives
// their other ends.
func (d *diagSocket) clients(family uint8, state, port int) ([]netip.AddrPort, error) {
	messages, err := d.dump(&inetDiagReqV2{
		family: family, protocol: unix.IPPROTO_TCP, states: 1 << state,
		id: inetDiagSockID{sourcePort: [2]byte{byte(port >> 8), byte(port)}},
	})
	if err != nil {
		return nil, err
	}
	var clients []netip.AddrPort
	for _, message := range messages {
		msg, err := diagMsg(message)
		if err != nil {
			return nil, err
		}
		// A listener on all addresses has IPv6 sockets, for clients over IPv4 too.
		client := msg.addr(msg.id.target, msg.id.targetPort)
		clients = append(clients, netip.AddrPortFrom(client.Addr().Unmap(), client.Port()))
	}
	return clients, nil
}
