package tests

import (
	"cmp"
	"net"
	"syscall"
	"testing"

	"github.com/rstlab/rstlab/netlab"
	"golang.org/x/sys/unix"
)

// option is a TCP option that package net does not know.
type option struct{ name, value int }

func setOptions(fd int, options ...option) error {
	for _, o := range options {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, o.name, o.value); err != nil {
			return err
		}
	}
	return nil
}

// dialerWith sets options, in order, before a host's sockets connect.
func dialerWith(h *netlab.Host, options ...option) net.Dialer {
	dialer := h.Dialer()
	control := dialer.Control
	dialer.Control = func(network, address string, raw syscall.RawConn) error {
		if err := control(network, address, raw); err != nil {
			return err
		}
		return withSocket(raw, func(fd int) error { return setOptions(fd, options...) })
	}
	return dialer
}

// onSocket does something to a connection's or a listener's socket.
func onSocket(t *testing.T, conn syscall.Conn, do func(fd int) error) {
	t.Helper()
	raw, err := conn.SyscallConn()
	fatal(t, err)
	fatal(t, withSocket(raw, do))
}

func withSocket(raw syscall.RawConn, do func(fd int) error) error {
	var done error
	err := raw.Control(func(fd uintptr) { done = do(int(fd)) })
	return cmp.Or(err, done)
}
