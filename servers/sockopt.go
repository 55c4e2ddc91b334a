package servers

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// SetBacklog calls listen(2) again on the live socket. Only the limit of the
// accept queue changes, to the smaller of n and somaxconn of the socket's own
// network namespace; nothing that is queued is evicted. A negative n means
// somaxconn. After Close the error matches net.ErrClosed.
//
// Source, measured on v6.18: __sys_listen_socket (net/socket.c) compares n as an
// unsigned number, __inet_listen_sk (net/ipv4/af_inet.c) stores the limit.
func (l *Listener) SetBacklog(n int) error {
	return l.control(func(fd int) error {
		return os.NewSyscallError("listen", unix.Listen(fd, n))
	})
}

// Queue reports how many completed handshakes wait in l and its limit.
//
// Both are connection counts from one getsockopt. The queue is full once length
// exceeds limit, so it holds limit+1. After Close the error matches
// net.ErrClosed.
//
// Source, checked on v6.18: tcp_get_info (net/ipv4/tcp.c) for the fields,
// sk_acceptq_is_full (include/net/sock.h) for the comparison.
func (l *Listener) Queue() (length, limit uint32, err error) {
	err = l.control(func(fd int) error {
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil {
			return os.NewSyscallError("getsockopt", err)
		}
		length, limit = info.Unacked, info.Sacked
		return nil
	})
	return length, limit, err
}

// SetDeferAccept keeps a completed handshake out of the accept queue until its
// client has sent data, or about d has passed (TCP_DEFER_ACCEPT). Zero or less
// means off. The option counts whole seconds, d is rounded up; the kernel then
// rounds up to a number of SYN-ACK retransmits: 1, 3, 7, 15 s and so on. After
// Close the error matches net.ErrClosed.
//
// Source, measured on v6.18: do_tcp_setsockopt and secs_to_retrans
// (net/ipv4/tcp.c), tcp_check_req (net/ipv4/tcp_minisocks.c).
func (l *Listener) SetDeferAccept(d time.Duration) error {
	seconds := int((max(d, 0) + time.Second - 1) / time.Second)
	return l.control(func(fd int) error {
		err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, seconds)
		return os.NewSyscallError("setsockopt", err)
	})
}

// control runs f on the listening socket.
func (l *Listener) control(f func(fd int) error) error {
	raw, err := l.tcp.SyscallConn()
	if err != nil {
		return err
	}
	return control(raw, f)
}
