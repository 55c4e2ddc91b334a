package servers

import (
	"context"
	"fmt"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// ListenMembers opens n listeners on one address with SO_REUSEPORT, in a slice
// of length n, which the caller closes. Each has its own accept queue; the
// kernel spreads new connections over them by a hash of the addresses and ports.
// The first one resolves port 0 for all. On an error nothing stays open.
//
// A Control in lc runs first and may put another socket in the place of the one
// it is given: the option is set on the one that remains.
//
// Source, measured on v6.18: reuseport_select_sock (net/core/sock_reuseport.c).
func ListenMembers(ctx context.Context, lc net.ListenConfig, network, address string, n int) ([]*Listener, error) {
	if n < 1 {
		return nil, fmt.Errorf("listen members on %s: n is %d, want at least 1", address, n)
	}
	lc.Control = withReusePort(lc.Control)
	members := make([]*Listener, 0, n)
	for range n {
		ln, err := Listen(ctx, lc, network, address)
		if err != nil {
			closeAll(members)
			return nil, fmt.Errorf("listen member %d of %d: %w", len(members)+1, n, err)
		}
		members = append(members, ln)
		address = ln.Addr().String()
	}
	return members, nil
}

func closeAll(members []*Listener) {
	for _, ln := range members {
		ln.Close()
	}
}

type controlFunc = func(network, address string, raw syscall.RawConn) error

// withReusePort is first, which may be nil, and then SO_REUSEPORT.
func withReusePort(first controlFunc) controlFunc {
	return func(network, address string, raw syscall.RawConn) error {
		if first != nil {
			if err := first(network, address, raw); err != nil {
				return err
			}
		}
		return control(raw, func(fd int) error {
			err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
			return os.NewSyscallError("setsockopt", err)
		})
	}
}

// control runs f on the descriptor of raw: its error, or else that of raw.
func control(raw syscall.RawConn, f func(fd int) error) (err error) {
	if rawErr := raw.Control(func(fd uintptr) { err = f(int(fd)) }); rawErr != nil {
		return rawErr
	}
	return err
}
