package witness

import (
	"os"

	"golang.org/x/sys/unix"
)

// Offsets at which a packet filter finds what is not in the packet,
// include/uapi/linux/filter.h.
const (
	adProtocol = 0xfffff000     // SKF_AD_OFF + SKF_AD_PROTOCOL: the EtherType
	adPktType  = 0xfffff000 + 4 // SKF_AD_OFF + SKF_AD_PKTTYPE: PACKET_OUTGOING and others
)

const (
	loadHalf  = unix.BPF_LD | unix.BPF_H | unix.BPF_ABS
	loadByte  = unix.BPF_LD | unix.BPF_B | unix.BPF_ABS
	jumpEqual = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	accept    = unix.BPF_RET | unix.BPF_K // so many bytes of the packet; zero refuses it
)

// ipOnly lets IPv4 and IPv6 pass, cut at the snap length. A packet on lo comes by
// twice, when it is sent and when it is received: with received, only the latter
// passes.
func ipOnly(snapLength int, received bool) []unix.SockFilter {
	outgoing := uint32(unix.PACKET_OUTGOING)
	if !received {
		outgoing = 0xff // no packet is of this type
	}
	return []unix.SockFilter{
		{Code: loadHalf, K: adProtocol},
		{Code: jumpEqual, K: unix.ETH_P_IP, Jt: 1},
		{Code: jumpEqual, K: unix.ETH_P_IPV6, Jf: 3},
		{Code: loadByte, K: adPktType},
		{Code: jumpEqual, K: outgoing, Jt: 1},
		{Code: accept, K: uint32(snapLength)},
		{Code: accept, K: 0},
	}
}

func attachFilter(fd int, filter []unix.SockFilter) error {
	program := &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	return os.NewSyscallError("setsockopt SO_ATTACH_FILTER", unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, program))
}
