package loadclient

import (
	"context"
	"net"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// dial opens the client's connection and records the local address and the SYN
// retries. The error is that of the dialer.
func (s *swarm) dial(ctx context.Context, c *Client) (net.Conn, error) {
	if s.cfg.Dial == nil {
		return s.dialSocket(ctx, c)
	}
	conn, err := s.cfg.Dial(ctx, "tcp", s.address)
	if err != nil {
		return nil, err
	}
	if tcp, ok := conn.LocalAddr().(*net.TCPAddr); ok {
		c.Local = tcp.AddrPort()
	}
	if total, known := connRetrans(conn); known {
		c.TCP = &TCP{SYNRetries: total}
	}
	return conn, nil
}

// dialSocket is the swarm's own dialer. A duplicate of the socket's descriptor
// lives exactly as long as the dial: a failed dial closes the socket before it
// returns, and only the duplicate can still be asked what happened. To keep it
// longer would leave a timed-out connect resending its SYN.
func (s *swarm) dialSocket(ctx context.Context, c *Client) (net.Conn, error) {
	source := s.source(c.Number)
	kept := noDescriptor
	defer func() { kept.close() }()
	dialer := net.Dialer{
		LocalAddr: tcpAddr(source),
		ControlContext: func(_ context.Context, network, address string, raw syscall.RawConn) error {
			kept.close() // of an attempt that connected to itself, which net repeats
			var err error
			kept, err = s.prepare(network, address, raw, source)
			return err
		},
	}
	conn, err := dialer.DialContext(ctx, "tcp", s.address)
	if total, known := totalRetrans(int(kept)); known {
		c.TCP = &TCP{SYNRetries: total}
	}
	c.Local = localAddr(int(kept))
	return conn, err
}

// prepare readies a socket that is not yet bound and returns a duplicate of its
// descriptor. The caller's Control goes first, because it may put another
// socket behind the descriptor.
func (s *swarm) prepare(network, address string, raw syscall.RawConn, source netip.Addr) (descriptor, error) {
	if s.cfg.Control != nil {
		if err := s.cfg.Control(network, address, raw); err != nil {
			return noDescriptor, err
		}
	}
	kept := noDescriptor
	var failed error
	err := raw.Control(func(fd uintptr) {
		if source.IsValid() {
			failed = choosePortAtConnect(int(fd))
		}
		if failed == nil {
			kept, failed = duplicate(int(fd))
		}
	})
	if err != nil {
		return noDescriptor, err
	}
	return kept, failed
}

// choosePortAtConnect lets sockets that are bound to an address share a port,
// as long as they go to different places.
//
// Source, checked on v6.18: IP_BIND_ADDRESS_NO_PORT (ip(7)), which IPv6 sockets
// take at the same level.
func choosePortAtConnect(fd int) error {
	return os.NewSyscallError("setsockopt IP_BIND_ADDRESS_NO_PORT",
		unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1))
}

// source is the client's local address; the zero address: the kernel chooses.
func (s *swarm) source(client int) netip.Addr {
	if len(s.cfg.Sources) == 0 {
		return netip.Addr{}
	}
	return s.cfg.Sources[client%len(s.cfg.Sources)]
}

// tcpAddr is addr for [net.Dialer], which wants a nil interface for none.
func tcpAddr(addr netip.Addr) net.Addr {
	if !addr.IsValid() {
		return nil
	}
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(addr, 0))
}
