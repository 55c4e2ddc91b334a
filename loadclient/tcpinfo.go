package loadclient

import (
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// totalRetrans is the number of segments, SYNs included, that the kernel has
// resent on the socket fd. It is unknown, false, where fd is not TCP.
//
// Source, checked on v6.18: tcp_get_info (net/ipv4/tcp.c). The count outlives a
// reset, a refusal and an unanswered dial; only connect(2) on the failed socket
// clears it (tcp_disconnect), and the Go runtime asks SO_ERROR instead.
func totalRetrans(fd int) (uint32, bool) {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return 0, false
	}
	return info.Total_retrans, true
}

// connRetrans is totalRetrans of an open connection. It is unknown where conn
// has no socket or is closed.
func connRetrans(conn net.Conn) (total uint32, known bool) {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return 0, false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return 0, false
	}
	err = raw.Control(func(fd uintptr) { total, known = totalRetrans(int(fd)) })
	return total, known && err == nil
}

// localAddr is the address the socket fd is bound to. It is zero where no port
// was taken, or the kernel took it back when the connect failed.
func localAddr(fd int) netip.AddrPort {
	name, err := unix.Getsockname(fd)
	if err != nil {
		return netip.AddrPort{}
	}
	var local netip.AddrPort
	switch a := name.(type) {
	case *unix.SockaddrInet4:
		local = netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		local = netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port))
	}
	if local.Port() == 0 {
		return netip.AddrPort{}
	}
	return local
}
