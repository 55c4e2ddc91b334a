package loadclient

import (
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// tcpOf is what the kernel knows of the socket fd; zero where fd is not TCP. Synretries
// of it are known to have been SYNs, and all of them while no connection stood.
//
// Source, checked on v6.18: tcp_get_info (net/ipv4/tcp.c). The numbers outlive a
// reset, a refusal and an unanswered dial; only connect(2) on the failed socket
// clears them (tcp_disconnect), and the Go runtime asks SO_ERROR instead.
func tcpOf(fd int, info *unix.TCPInfo, connected bool, synRetries uint32) TCP {
	if !readTCPInfo(fd, info) {
		return TCP{}
	}
	if !connected {
		synRetries = info.Total_retrans
	}
	return TCP{BytesAcked: info.Bytes_acked, SYNRetries: synRetries, Retransmits: info.Total_retrans - synRetries, State: info.State}
}

// readTCPInfo allocates nothing, unlike unix.GetsockoptTCPInfo.
func readTCPInfo(fd int, info *unix.TCPInfo) bool {
	size := uint32(unsafe.Sizeof(*info))
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.IPPROTO_TCP, unix.TCP_INFO,
		uintptr(unsafe.Pointer(info)), uintptr(unsafe.Pointer(&size)), 0)
	return errno == 0
}

// tcpOfConn is tcpOf of an open connection. It is unknown where conn has no socket or is
// closed.
func tcpOfConn(conn net.Conn, synRetries uint32) (tcp TCP) {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return TCP{}
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return TCP{}
	}
	// On error conn is closed, and nothing is known of it.
	_ = raw.Control(func(fd uintptr) { tcp = tcpOf(int(fd), &unix.TCPInfo{}, true, synRetries) })
	return tcp
}
