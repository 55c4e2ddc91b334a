package netlab

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"unsafe"

	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// AcceptQueue is the accept queue of one listening socket, whichever process it
// belongs to, at the moment it was asked for.
type AcceptQueue struct {
	Addr   netip.AddrPort `json:"addr"`   // the listening address; unspecified for a listener on all addresses
	Length uint32         `json:"length"` // completed handshakes that wait for accept
	Limit  uint32         `json:"limit"`  // the smaller of backlog and somaxconn; the queue is full once Length exceeds it
	Inode  uint32         `json:"inode"`  // of the listening socket, which tells two on one address apart
	Drops  uint32         `json:"drops"`  // one a dropped SYN or overflowed cookie ACK, two an overflowed ACK of the SYN queue
}

// String says how the queue stands: "[::]:8080: 12 wait, limit 64, 331 dropped".
func (q AcceptQueue) String() string {
	return fmt.Sprintf("%v: %d wait, limit %d, %d dropped", q.Addr, q.Length, q.Limit, q.Drops)
}

// AcceptQueues lists the accept queues of all TCP listeners in the host, ordered by
// address. It costs some 30 µs and disturbs nobody.
//
// Source, checked on v6.18: inet_diag_msg_common_fill and inet_sk_diag_fill
// (net/ipv4/inet_diag.c), tcp_diag_get_info (net/ipv4/tcp_diag.c).
func (h *Host) AcceptQueues() []AcceptQueue {
	h.lab.tb.Helper()
	queues, err := h.acceptQueues()
	if err != nil {
		h.lab.tb.Fatalf("netlab: host %s: list listeners: %v", h.name, err)
	}
	return queues
}

// QueueSamples are the accept queues as evidence, without a time and without their SYN
// queues, which CountHalfOpen adds.
func (h *Host) QueueSamples() []scenario.QueueSample {
	h.lab.tb.Helper()
	queues := h.AcceptQueues()
	on := map[netip.AddrPort]int{}
	for _, q := range queues {
		on[q.Addr]++
	}
	var samples []scenario.QueueSample
	for _, q := range queues {
		s := scenario.QueueSample{
			Listener: q.Addr, Inode: q.Inode, Length: q.Length, Limit: q.Limit, Drops: q.Drops, SYNQueue: -1,
		}
		if n := on[q.Addr]; n > 1 {
			s.Members = n
		}
		samples = append(samples, s)
	}
	return samples
}

// AcceptQueue is the accept queue of the listener on a port of the host. It ends
// the test unless there is exactly one.
func (h *Host) AcceptQueue(port int) AcceptQueue {
	h.lab.tb.Helper()
	queues := h.AcceptQueues()
	on := slices.DeleteFunc(slices.Clone(queues), func(q AcceptQueue) bool { return int(q.Addr.Port()) != port })
	if len(on) != 1 {
		h.lab.tb.Fatalf("netlab: host %s: %d listeners on port %d, want one; listening: %v", h.name, len(on), port, ports(queues))
	}
	return on[0]
}

func (h *Host) acceptQueues() ([]AcceptQueue, error) {
	var queues []AcceptQueue
	err := h.withDiag(func(diag *diagSocket) error {
		for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
			found, err := diag.listeners(family)
			if err != nil {
				return err
			}
			queues = append(queues, found...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(queues, func(a, b AcceptQueue) int {
		return cmp.Or(cmp.Compare(a.Addr.Port(), b.Addr.Port()), a.Addr.Compare(b.Addr))
	})
	return queues, nil
}

// withDiag runs fn with the host's sock_diag socket, one at a time.
func (h *Host) withDiag(fn func(*diagSocket) error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.diag == nil {
		diag, err := openDiag(h)
		if err != nil {
			return err
		}
		h.diag = diag
	}
	return fn(h.diag)
}

// ports lists the listening addresses.
func ports(queues []AcceptQueue) []netip.AddrPort {
	var addrs []netip.AddrPort
	for _, q := range queues {
		addrs = append(addrs, q.Addr)
	}
	return addrs
}

// diagSocket asks the kernel for the sockets of the namespace that it was opened
// in, by the sock_diag protocol of sock_diag(7).
type diagSocket struct{ handle map[int]*nl.SocketHandle }

func openDiag(h *Host) (*diagSocket, error) {
	var socket *nl.NetlinkSocket
	err := h.Do(func() (err error) {
		socket, err = nl.Subscribe(unix.NETLINK_INET_DIAG)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open sock_diag socket: %w", err)
	}
	return &diagSocket{map[int]*nl.SocketHandle{unix.NETLINK_INET_DIAG: {Socket: socket}}}, nil
}

func (d *diagSocket) close() error {
	for _, handle := range d.handle {
		handle.Close()
	}
	return nil
}

// inetDiagReqV2 is struct inet_diag_req_v2 of include/uapi/linux/inet_diag.h.
type inetDiagReqV2 struct {
	family, protocol, extensions, _ uint8
	states                          uint32
	id                              inetDiagSockID
}

// inetDiagSockID is struct inet_diag_sockid; ports and addresses are in network order.
type inetDiagSockID struct {
	sourcePort, targetPort [2]byte
	source, target         [16]byte
	iface                  uint32
	cookie                 [2]uint32
}

// inetDiagMsg is struct inet_diag_msg. For a listener, inet_diag sets rqueue to the
// accept queue's length and wqueue to its limit.
type inetDiagMsg struct {
	family, state, timer, retrans       uint8
	id                                  inetDiagSockID
	expires, rqueue, wqueue, uid, inode uint32
}

const (
	sockDiagByFamily  = 20 // SOCK_DIAG_BY_FAMILY, include/uapi/linux/sock_diag.h
	inetDiagSKMemInfo = 7  // INET_DIAG_SKMEMINFO, include/uapi/linux/inet_diag.h
	skMemInfoDrops    = 8  // SK_MEMINFO_DROPS, include/uapi/linux/sock_diag.h
	tcpEstablished    = 1  // TCP_ESTABLISHED, include/net/tcp_states.h
	tcpSynRecv        = 3  // TCP_SYN_RECV
	tcpListen         = 10 // TCP_LISTEN
	inetDiagMsgSize   = int(unsafe.Sizeof(inetDiagMsg{}))
	inetDiagReqV2Size = int(unsafe.Sizeof(inetDiagReqV2{}))
)

func (r *inetDiagReqV2) Len() int { return inetDiagReqV2Size }

func (r *inetDiagReqV2) Serialize() []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(r)), inetDiagReqV2Size)
}

// listeners dumps the listening TCP sockets of one address family.
func (d *diagSocket) listeners(family uint8) ([]AcceptQueue, error) {
	messages, err := d.dump(sockDiagByFamily, &inetDiagReqV2{
		family: family, protocol: unix.IPPROTO_TCP, extensions: 1 << (inetDiagSKMemInfo - 1), states: 1 << tcpListen,
	})
	if err != nil {
		return nil, err
	}
	var queues []AcceptQueue
	for _, message := range messages {
		queue, err := parseDiag(message)
		if err != nil {
			return nil, err
		}
		queues = append(queues, queue)
	}
	return queues, nil
}

// dump gives one message a socket that a request of the kind asks for.
func (d *diagSocket) dump(kind uint16, ask nl.NetlinkRequestData) ([][]byte, error) {
	request := nl.NewNetlinkRequest(int(kind), unix.NLM_F_DUMP)
	request.Sockets = d.handle
	request.AddData(ask)
	messages, err := request.Execute(unix.NETLINK_INET_DIAG, kind)
	return messages, os.NewSyscallError("sock_diag", err)
}

// parseDiag reads a struct inet_diag_msg of a listener and the attributes after it.
func parseDiag(message []byte) (AcceptQueue, error) {
	msg, err := diagMsg(message)
	if err != nil {
		return AcceptQueue{}, err
	}
	queue := AcceptQueue{Addr: msg.addr(msg.id.source, msg.id.sourcePort), Length: msg.rqueue, Limit: msg.wqueue, Inode: msg.inode}
	queue.Drops, err = dropsOf(message[inetDiagMsgSize:])
	return queue, err
}

func diagMsg(message []byte) (inetDiagMsg, error) {
	if len(message) < inetDiagMsgSize {
		return inetDiagMsg{}, fmt.Errorf("sock_diag answer has %d bytes, want at least %d", len(message), inetDiagMsgSize)
	}
	return *(*inetDiagMsg)(unsafe.Pointer(&message[0])), nil
}

// addr is one end of a socket, as the message has it.
func (m inetDiagMsg) addr(ip [16]byte, port [2]byte) netip.AddrPort {
	addr := netip.AddrFrom16(ip)
	if m.family == unix.AF_INET {
		addr = netip.AddrFrom4([4]byte(ip[:4]))
	}
	return netip.AddrPortFrom(addr, uint16(port[0])<<8|uint16(port[1]))
}

// dropsOf reads the attributes after the message, each a uint16 length that counts
// itself, a uint16 type and a value, padded to four bytes (netlink(7)).
func dropsOf(attrs []byte) (uint32, error) {
	native := nl.NativeEndian()
	for len(attrs) >= unix.SizeofRtAttr {
		length, kind := int(native.Uint16(attrs)), native.Uint16(attrs[2:])
		if length < unix.SizeofRtAttr || length > len(attrs) {
			return 0, fmt.Errorf("sock_diag answer has an attribute of %d bytes in %d", length, len(attrs))
		}
		if value := attrs[unix.SizeofRtAttr:length]; kind == inetDiagSKMemInfo && len(value) >= 4*(skMemInfoDrops+1) {
			return native.Uint32(value[4*skMemInfoDrops:]), nil
		}
		attrs = attrs[min((length+3)&^3, len(attrs)):]
	}
	return 0, errors.New("sock_diag answer has no SK_MEMINFO_DROPS")
}
