package netlab

import (
	"cmp"
	"net/netip"
	"slices"
	"unsafe"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// SYNQueue lists the clients of the host's half-open connections to a port, those in
// SYN_RECV, ordered by address. Half-open connections outlive their listener until
// their next segment or timer. A connection whose SYN was answered with a SYN cookie
// is not there: the host keeps nothing of it.
//
// The kernel looks through its whole table of connections, which takes 0.2 to 2 ms.
//
// Source, checked on v6.18: inet_req_diag_fill (net/ipv4/inet_diag.c).
func (h *Host) SYNQueue(port int) []netip.AddrPort { return h.clientsIn(tcpSynRecv, port) }

// CountHalfOpen sets the SYN queues of samples, which are of all listeners of the host, as
// QueueSamples gives them. It takes as long as SYNQueue, whatever the number of listeners.
//
// A half-open connection is counted with the listener of its address family that has its
// address, or else with the one that listens on all addresses. It is not told whose it is
// among members of SO_REUSEPORT, which have one address: neither sock_diag nor
// /proc/net/tcp gives the inode of its listener. The first member by inode has the sum of
// all, and the others -1. Nor are listeners told apart that SO_BINDTODEVICE lets have one
// address. One that outlives its listener counts for nobody, or for who listens on all
// addresses.
//
// Source, checked on v6.18: inet_req_diag_fill (net/ipv4/inet_diag.c), get_openreq4
// (net/ipv4/tcp_ipv4.c), __inet_lookup_listener (net/ipv4/inet_hashtables.c).
func (h *Host) CountHalfOpen(samples []scenario.QueueSample) {
	h.lab.tb.Helper()
	first := map[netip.AddrPort]*scenario.QueueSample{}
	for i := range samples {
		s := &samples[i]
		s.SYNQueue = -1
		if other := first[s.Listener]; other == nil || s.Inode < other.Inode {
			first[s.Listener] = s
		}
	}
	for _, s := range first {
		s.SYNQueue = 0
	}
	for _, c := range h.connections(tcpSynRecv, 0) {
		if s := cmp.Or(first[c.local], first[onAll(c.local)]); s != nil {
			s.SYNQueue++
		}
	}
}

// onAll is the address of a listener on all addresses of the family that takes in what an
// address does.
func onAll(local netip.AddrPort) netip.AddrPort {
	if local.Addr().Is4() {
		return netip.AddrPortFrom(netip.IPv4Unspecified(), local.Port())
	}
	return netip.AddrPortFrom(netip.IPv6Unspecified(), local.Port())
}

// Connections lists the clients of the host's established connections to a port,
// ordered by address: those that the program has accepted and those that wait in the
// accept queue. It takes as long as SYNQueue.
func (h *Host) Connections(port int) []netip.AddrPort { return h.clientsIn(tcpEstablished, port) }

// clientsIn lists the clients of the sockets in one state of a port.
func (h *Host) clientsIn(state, port int) []netip.AddrPort {
	h.lab.tb.Helper()
	var clients []netip.AddrPort
	for _, c := range h.connections(state, port) {
		clients = append(clients, c.client)
	}
	slices.SortFunc(clients, netip.AddrPort.Compare)
	return clients
}

// connections lists the connections in one state to a port, or to any if it is 0.
func (h *Host) connections(state, port int) []connection {
	h.lab.tb.Helper()
	var found []connection
	err := h.withDiag(func(diag *diagSocket) (err error) {
		found, err = diag.connections(state, port)
		return err
	})
	if err != nil {
		h.lab.tb.Fatalf("netlab: host %s: list the connections to port %d: %v", h.name, port, err)
	}
	return found
}

// connection is what is told of a socket that has a peer.
type connection struct {
	client netip.AddrPort
	local  netip.AddrPort // in the family of its listener: an IPv6 one has clients over IPv4, too
}

// inetDiagReq is struct inet_diag_req of include/uapi/linux/inet_diag.h, the older
// request. It asks for the sockets of both address families, so that the kernel goes
// through its table once and not twice.
//
// Source, checked on v6.18: inet_diag_dump_compat (net/ipv4/inet_diag.c).
type inetDiagReq struct {
	family, sourceLength, targetLength, extensions uint8
	id                                             inetDiagSockID
	states, tables                                 uint32
}

const (
	tcpDiagGetSock  = 18 // TCPDIAG_GETSOCK, include/uapi/linux/inet_diag.h
	inetDiagReqSize = int(unsafe.Sizeof(inetDiagReq{}))
)

func (r *inetDiagReq) Len() int { return inetDiagReqSize }

func (r *inetDiagReq) Serialize() []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(r)), inetDiagReqSize)
}

// connections dumps the sockets in one state of a port, or of any if it is 0.
func (d *diagSocket) connections(state, port int) ([]connection, error) {
	messages, err := d.dump(tcpDiagGetSock, &inetDiagReq{
		states: 1 << state,
		id:     inetDiagSockID{sourcePort: [2]byte{byte(port >> 8), byte(port)}},
	})
	if err != nil {
		return nil, err
	}
	all := make([]connection, 0, len(messages))
	for _, message := range messages {
		msg, err := diagMsg(message)
		if err != nil {
			return nil, err
		}
		// A listener on all addresses has IPv6 sockets, for clients over IPv4 too.
		client := msg.addr(msg.id.target, msg.id.targetPort)
		all = append(all, connection{
			client: netip.AddrPortFrom(client.Addr().Unmap(), client.Port()),
			local:  msg.addr(msg.id.source, msg.id.sourcePort),
		})
	}
	return all, nil
}
