package netlab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Control moves a socket that package net has just made into the host. It is
// meant for the Control field of net.Dialer and net.ListenConfig, and so serves
// http.Transport and net.Resolver as well:
//
//	lc := net.ListenConfig{Control: server.Control}
//
// The descriptor keeps its number; behind it now stands a socket of the same
// domain, type and protocol that was made in the host, with the options that
// package net has set by then. No thread is held while the socket lives. An
// error of a system call is an [os.SyscallError].
func (h *Host) Control(network, address string, c syscall.RawConn) error {
	var err error
	if cerr := c.Control(func(fd uintptr) { err = h.replaceSocket(int(fd)) }); cerr != nil {
		return cerr
	}
	if err != nil {
		return fmt.Errorf("move a %s socket into host %s: %w", network, h.name, err)
	}
	return nil
}

// socketThreads bounds the threads that make sockets at one time. A burst of dials
// would otherwise start one for each CPU and more.
var socketThreads = make(chan struct{}, 8)

// replaceSocket puts a socket of the host behind the descriptor fd.
func (h *Host) replaceSocket(fd int) error {
	domain, err := getsockopt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return err
	}
	kind, err := getsockopt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return err
	}
	protocol, err := getsockopt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL)
	if err != nil {
		return err
	}
	inside := -1
	socketThreads <- struct{}{}
	defer func() { <-socketThreads }()
	err = h.Do(func() (err error) {
		inside, err = unix.Socket(domain, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, protocol)
		return os.NewSyscallError("socket", err)
	})
	if err != nil {
		return err
	}
	defer unix.Close(inside)
	if err := copyOptions(inside, fd, domain); err != nil {
		return err
	}
	return os.NewSyscallError("dup3", unix.Dup3(inside, fd, unix.O_CLOEXEC))
}

// copyOptions sets on to what package net sets on a socket before it calls
// Control (net/sockopt_linux.go, net/sockopt_posix.go).
func copyOptions(to, from, domain int) error {
	options := []struct{ level, name int }{
		{unix.SOL_SOCKET, unix.SO_REUSEADDR},
		{unix.SOL_SOCKET, unix.SO_BROADCAST},
	}
	if domain == unix.AF_INET6 {
		options = append(options, struct{ level, name int }{unix.IPPROTO_IPV6, unix.IPV6_V6ONLY})
	}
	for _, option := range options {
		value, err := getsockopt(from, option.level, option.name)
		if err != nil {
			return err
		}
		if err := unix.SetsockoptInt(to, option.level, option.name, value); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	return nil
}

func getsockopt(fd, level, name int) (int, error) {
	value, err := unix.GetsockoptInt(fd, level, name)
	return value, os.NewSyscallError("getsockopt", err)
}

// Dialer is a net.Dialer whose sockets, those of its name look-ups included, are
// made in the host.
func (h *Host) Dialer() net.Dialer {
	return net.Dialer{
		Control:  h.Control,
		Resolver: &net.Resolver{PreferGo: true, Dial: (&net.Dialer{Control: h.Control}).DialContext},
	}
}

// DialContext connects from the host, as net.Dialer's method does. If the host
// has several addresses, TCP dials to an IP address take them in turn.
func (h *Host) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := h.Dialer()
	if source := h.source(network, address); source.IsValid() {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(source, 0))
		dialer.Control = func(network, address string, c syscall.RawConn) error {
			return errors.Join(h.Control(network, address, c), lateBindPort(c))
		}
	}
	return dialer.DialContext(ctx, network, address)
}

// source is the address that the next dial starts from; the zero Addr leaves it
// to the kernel.
func (h *Host) source(network, address string) netip.Addr {
	target, err := netip.ParseAddrPort(address)
	if err != nil || !strings.HasPrefix(network, "tcp") {
		return netip.Addr{}
	}
	addrs := h.Addrs()
	if target.Addr().Unmap().Is6() {
		addrs = h.Addrs6()
	}
	if len(addrs) < 2 {
		return netip.Addr{}
	}
	return addrs[(h.nextSource.Add(1)-1)%uint64(len(addrs))]
}

// lateBindPort makes bind choose an address only. The port is then chosen by
// connect, which may use one port for many targets; ip(7).
func lateBindPort(c syscall.RawConn) error {
	var err error
	cerr := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	})
	return errors.Join(cerr, os.NewSyscallError("setsockopt", err))
}

// ListenConfig is a net.ListenConfig whose sockets are made in the host: plain
// TCP, unless the caller switches Multipath TCP on.
func (h *Host) ListenConfig() net.ListenConfig {
	lc := net.ListenConfig{Control: h.Control}
	lc.SetMultipathTCP(false)
	return lc
}

// Listen listens in the host with the given backlog, the argument of listen(2).
// Package net takes its own from a somaxconn that it read once, so Listen calls
// listen(2) again and reads the limit back: it is the smaller of backlog, taken
// as unsigned, and the host's net.core.somaxconn. The accept queue holds one
// connection more than its limit.
//
// Source, checked on v6.18: __sys_listen_socket (net/socket.c), sk_acceptq_is_full
// (include/net/sock.h).
func (h *Host) Listen(network, address string, backlog int) (*net.TCPListener, error) {
	lc := h.ListenConfig()
	ln, err := lc.Listen(context.Background(), network, address)
	if err != nil {
		return nil, err
	}
	tcp, ok := ln.(*net.TCPListener)
	if !ok {
		return nil, errors.Join(fmt.Errorf("listen on network %q: want tcp, tcp4 or tcp6", network), ln.Close())
	}
	if err := h.setBacklog(tcp, backlog); err != nil {
		return nil, errors.Join(fmt.Errorf("listen on %v in host %s: %w", tcp.Addr(), h.name, err), tcp.Close())
	}
	return tcp, nil
}

// setBacklog calls listen(2) on the live socket and verifies the limit.
func (h *Host) setBacklog(ln *net.TCPListener, backlog int) error {
	raw, err := ln.SyscallConn()
	if err != nil {
		return err
	}
	var limit uint32
	var listenErr error
	err = raw.Control(func(fd uintptr) {
		if listenErr = os.NewSyscallError("listen", unix.Listen(int(fd), backlog)); listenErr == nil {
			limit, listenErr = acceptLimit(int(fd))
		}
	})
	if err := errors.Join(err, listenErr); err != nil {
		return err
	}
	want, err := h.limitFor(backlog)
	if err != nil || limit == want {
		return err
	}
	return fmt.Errorf("accept queue's limit is %d after listen(2) with backlog %d, want %d", limit, backlog, want)
}

// acceptLimit reads the limit of a listening socket's accept queue, which
// tcp_get_info (net/ipv4/tcp.c) reports as tcpi_sacked.
func acceptLimit(fd int) (uint32, error) {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return 0, os.NewSyscallError("getsockopt", err)
	}
	return info.Sacked, nil
}

// limitFor is the limit that the kernel gives a backlog in this host. A user
// namespace of an older kernel does not show somaxconn; there it has its
// default, which is the pinned one.
func (h *Host) limitFor(backlog int) (uint32, error) {
	somaxconn := uint64(defaultSomaxconn)
	text, err := h.ReadSysctl("net.core.somaxconn")
	switch {
	case err == nil:
		if somaxconn, err = parseUint(text); err != nil {
			return 0, err
		}
	case !errors.Is(err, os.ErrNotExist):
		return 0, err
	}
	return uint32(min(uint64(uint32(backlog)), somaxconn)), nil
}
