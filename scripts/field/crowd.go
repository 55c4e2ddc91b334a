package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"
	"unsafe"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
	"golang.org/x/sys/unix"
)

// crowd are clients of one server. Their sockets are bare descriptors that one goroutine
// handles, so that their order is known.
type crowd struct {
	clients []int // their descriptors
	target  *unix.SockaddrInet4
}

// newCrowd makes n clients that have not connected yet. The caller closes it.
func newCrowd(client, server *netlab.Host, n int) (*crowd, error) {
	c := &crowd{target: &unix.SockaddrInet4{Addr: server.Addrs()[0].As4(), Port: port}}
	err := client.Do(func() error {
		for range n {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
			if err != nil {
				return fmt.Errorf("client %d of %d: %w", len(c.clients), n, os.NewSyscallError("socket", err))
			}
			c.clients = append(c.clients, fd)
		}
		return nil
	})
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// close ends every connection with a RST, which leaves nothing behind: no request in the
// SYN queue of the server, and no TIME_WAIT, which would answer a later SYN from the same
// port with an ACK. Where the server closes its socket at the moment at which the RST
// arrives, that finds the socket closed and the TIME_WAIT in its place stays; so the
// server's host has room for none (tcp_max_tw_buckets).
//
// Source, checked on v6.18: __inet_stream_connect (net/ipv4/af_inet.c), tcp_disconnect
// (net/ipv4/tcp.c), tcp_time_wait (net/ipv4/tcp_minisocks.c), inet_twsk_alloc
// (net/ipv4/inet_timewait_sock.c).
func (c *crowd) close() {
	nobody := unix.RawSockaddr{Family: unix.AF_UNSPEC}
	for _, fd := range c.clients {
		_, _, _ = unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&nobody)), unsafe.Sizeof(nobody)) // fails if it is not connected
		_ = unix.Close(fd)
	}
	c.clients = nil
}

// connect sends the SYN of client n.
func (c *crowd) connect(n int) error {
	if err := unix.Connect(c.clients[n], c.target); !errors.Is(err, unix.EINPROGRESS) {
		return fmt.Errorf("client %d: connect: %w, want that it is in progress", n, err)
	}
	return nil
}

func (c *crowd) write(n int, text string) error {
	if _, err := unix.Write(c.clients[n], []byte(text)); err != nil {
		return fmt.Errorf("client %d: %w", n, os.NewSyscallError("write", err))
	}
	return nil
}

// States of a TCP socket, include/net/tcp_states.h.
const (
	tcpEstablished = 1
	tcpSYNSent     = 2
	tcpClose       = 7
)

// fate is what client n's own socket tells: undecided if it is established.
func (c *crowd) fate(n int) (scenario.Fate, error) {
	info, err := unix.GetsockoptTCPInfo(c.clients[n], unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return 0, fmt.Errorf("client %d: %w", n, os.NewSyscallError("getsockopt", err))
	}
	switch info.State {
	case tcpEstablished:
		return scenario.Undecided, nil
	case tcpSYNSent:
		return scenario.SYNDropped, nil
	case tcpClose:
		return scenario.Reset, nil
	}
	return 0, fmt.Errorf("client %d: its socket is in state %d, which no rule leads to", n, info.State)
}

// fates are those of the first n clients, as somebody sees who looks at both ends.
func (c *crowd) fates(n int, server *netlab.Host) ([]scenario.Fate, error) {
	there := map[netip.AddrPort]scenario.Fate{}
	for _, client := range server.SYNQueue(port) {
		there[client] = scenario.Kept
	}
	for _, client := range server.Connections(port) {
		there[client] = scenario.Queued
	}
	fates := make([]scenario.Fate, n)
	for i := range fates {
		fate, err := c.fate(i)
		if err != nil {
			return nil, err
		}
		if fate == scenario.Undecided {
			addr, err := c.addr(i)
			if err != nil {
				return nil, err
			}
			if fate = there[addr]; fate == scenario.Undecided {
				fate = scenario.Ghost
			}
		}
		fates[i] = fate
	}
	return fates, nil
}

// addr is client n's own address.
func (c *crowd) addr(n int) (netip.AddrPort, error) {
	name, err := unix.Getsockname(c.clients[n])
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("client %d: %w", n, os.NewSyscallError("getsockname", err))
	}
	v4, ok := name.(*unix.SockaddrInet4)
	if !ok {
		return netip.AddrPort{}, fmt.Errorf("client %d: its address is a %T", n, name)
	}
	return netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), uint16(v4.Port)), nil
}

// repeats is how often client n's kernel has sent its SYN again. It counts until the
// client has sent something else that is lost.
func (c *crowd) repeats(n int) (int, error) {
	info, err := unix.GetsockoptTCPInfo(c.clients[n], unix.IPPROTO_TCP, unix.TCP_INFO)
	return int(info.Total_retrans), os.NewSyscallError("getsockopt", err)
}

// answers waits until each of the first n clients is answered, reset or closed, and tells how many it has answered. Clients from asked on send their
// request when they are connected; those before have.
func (c *crowd) answers(n, asked int, s server, patience time.Duration) (int, error) {
	got := make([]bytes.Buffer, n)
	waiting := make([]unix.PollFd, 0, n)
	for i := range n {
		fd := unix.PollFd{Fd: int32(c.clients[i]), Events: unix.POLLIN}
		if i >= asked {
			fd.Events = unix.POLLOUT
		}
		waiting = append(waiting, fd)
	}
	answered, left := 0, n
	for deadline := time.Now().Add(patience); left > 0; {
		ready, err := unix.Poll(waiting, int(max(0, time.Until(deadline).Milliseconds())))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return answered, os.NewSyscallError("poll", err)
		}
		if ready == 0 {
			return answered, nil
		}
		for i := range waiting {
			if waiting[i].Revents == 0 {
				continue
			}
			if waiting[i].Events == unix.POLLOUT {
				waiting[i].Events = unix.POLLIN
				_ = c.write(i, s.Request) // fails for one that was reset, whom the next poll ends
				continue
			}
			if more := receive(c.clients[i], &got[i]); more && got[i].Len() < len(s.Answer) {
				continue
			}
			if bytes.HasPrefix(got[i].Bytes(), []byte(s.Answer)) {
				answered++
			}
			waiting[i].Fd = -1 // poll passes it over
			left--
		}
	}
	return answered, nil
}

// receive adds what has come, and tells whether more may come.
func receive(fd int, to *bytes.Buffer) bool {
	var buffer [512]byte
	n, err := unix.Read(fd, buffer[:])
	if n > 0 {
		to.Write(buffer[:n])
	}
	return n > 0 || errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR)
}
