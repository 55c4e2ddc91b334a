package wire

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"unsafe"

	"github.com/rstlab/rstlab/netlab/scenario"
	"golang.org/x/sys/unix"
)

// sockets are those of one run. They are bare descriptors: package net would start a
// goroutine for each, and when it runs is nobody's to say.
type sockets struct {
	target   unix.Sockaddr
	clients  []int
	listener int // -1 when it is closed
	accepted []int
}

// openSockets makes the listener and one socket a client, each in its host.
func openSockets(h *hosts, s scenario.Scenario) (*sockets, error) {
	domain, addr := unix.AF_INET, h.server.Addrs()[0]
	if s.IPv6 {
		domain, addr = unix.AF_INET6, h.server.Addrs6()[0]
	}
	all := &sockets{target: sockaddr(addr, h.port), listener: -1}
	err := h.server.Do(func() (err error) {
		all.listener, err = openSocket(domain)
		return err
	})
	if err == nil {
		err = os.NewSyscallError("bind", unix.Bind(all.listener, all.target))
	}
	if err == nil {
		err = listen(all.listener, s.Backlog)
	}
	if err == nil {
		err = checkLimit(all.listener, s)
	}
	if err == nil {
		err = h.client.Do(func() error { return all.openClients(domain, s.Arrivals.Clients()) })
	}
	if err != nil {
		all.close()
		return nil, err
	}
	return all, nil
}

func (s *sockets) openClients(domain, n int) error {
	for range n {
		fd, err := openSocket(domain)
		if err != nil {
			return fmt.Errorf("client %d of %d: %w", len(s.clients), n, err)
		}
		s.clients = append(s.clients, fd)
	}
	return nil
}

func openSocket(domain int) (int, error) {
	fd, err := unix.Socket(domain, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	return fd, os.NewSyscallError("socket", err)
}

// listen is listen(2), whose argument the kernel takes as unsigned.
func listen(fd, backlog int) error {
	return os.NewSyscallError("listen", unix.Listen(fd, backlog))
}

// checkLimit makes sure that the kernel has the limit that the scenario means.
func checkLimit(fd int, s scenario.Scenario) error {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return os.NewSyscallError("getsockopt", err)
	}
	if want := s.Limit(s.Backlog); info.Sacked != want {
		return fmt.Errorf("accept queue's limit is %d after listen(2) with backlog %d, want %d", info.Sacked, s.Backlog, want)
	}
	return nil
}

// queueLength is how many connections wait in the accept queue.
func queueLength(listener int) (uint32, error) {
	info, err := unix.GetsockoptTCPInfo(listener, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return 0, os.NewSyscallError("getsockopt", err)
	}
	return info.Unacked, nil
}

// memInfo is what SO_MEMINFO tells of a socket: sk_get_meminfo (net/core/sock.c).
type memInfo [9]uint32

const memInfoDrops = 8 // SK_MEMINFO_DROPS, include/uapi/linux/sock_diag.h

// drops reads the listener's sk_drops.
func drops(listener int) (uint64, error) {
	var info memInfo
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(listener), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0, os.NewSyscallError("getsockopt", errno)
	}
	return uint64(info[memInfoDrops]), nil
}

func (s *sockets) connect(n int) error {
	err := unix.Connect(s.clients[n], s.target)
	if errors.Is(err, unix.EINPROGRESS) {
		return nil
	}
	return fmt.Errorf("client %d: connect: %w, want that it is in progress", n, err)
}

func (s *sockets) write(n int) error {
	if _, err := unix.Write(s.clients[n], []byte{'x'}); err != nil {
		return fmt.Errorf("client %d: %w", n, os.NewSyscallError("write", err))
	}
	return nil
}

// accept takes one connection and tells its client's port; zero if none waits.
func (s *sockets) accept() (port uint16, err error) {
	fd, from, err := unix.Accept4(s.listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	if errors.Is(err, unix.EAGAIN) {
		return 0, nil
	}
	if err != nil {
		return 0, os.NewSyscallError("accept4", err)
	}
	s.accepted = append(s.accepted, fd)
	switch from := from.(type) {
	case *unix.SockaddrInet4:
		return uint16(from.Port), nil
	case *unix.SockaddrInet6:
		return uint16(from.Port), nil
	}
	return 0, fmt.Errorf("accept4: address is a %T", from)
}

// closeListener closes the listener alone.
func (s *sockets) closeListener() error {
	fd := s.listener
	s.listener = -1
	return end(fd)
}

// close closes everything, both ends side by side: it takes a fifth of a run. Errors
// mean nothing here, since the descriptors are gone all the same.
func (s *sockets) close() {
	var server sync.WaitGroup
	server.Go(func() {
		if s.listener >= 0 {
			_ = end(s.listener)
		}
		for _, fd := range s.accepted {
			_ = end(fd)
		}
	})
	for _, fd := range s.clients {
		_ = end(fd)
	}
	server.Wait()
}

// end dissolves a socket, with a RST for each of its connections, and closes it. Close
// alone would leave it to the last one who has the descriptor: a child process that
// somebody starts in another goroutine has it too, until it is well into exec, and the
// RSTs would come when the next run has begun.
//
// Source, checked on v6.18: __inet_stream_connect (net/ipv4/af_inet.c), tcp_disconnect
// (net/ipv4/tcp.c).
func end(fd int) error {
	nobody := unix.RawSockaddr{Family: unix.AF_UNSPEC}
	_, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&nobody)), unsafe.Sizeof(nobody))
	if err := unix.Close(fd); err != nil {
		return os.NewSyscallError("close", err)
	}
	if errno != 0 {
		return os.NewSyscallError("connect to nobody", errno)
	}
	return nil
}

func sockaddr(addr netip.Addr, port int) unix.Sockaddr {
	if addr.Is4() {
		return &unix.SockaddrInet4{Addr: addr.As4(), Port: port}
	}
	return &unix.SockaddrInet6{Addr: addr.As16(), Port: port}
}
