package loadclient

import (
	"context"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// dial opens the client's connection and records the local address and what the kernel
// knows of it. The error is that of the dialer.
func (e *httpEngine) dial(ctx context.Context, c *Client) (net.Conn, error) {
	if e.cfg.Dial == nil {
		return e.dialSocket(ctx, c)
	}
	conn, err := e.cfg.Dial(ctx, "tcp", e.address)
	if err != nil {
		return nil, err
	}
	if tcp, ok := conn.LocalAddr().(*net.TCPAddr); ok {
		c.Local = tcp.AddrPort()
	}
	if tcp := tcpOfConn(conn, 0); tcp.Known() {
		c.TCP = TCP{State: tcp.State, BytesAcked: tcp.BytesAcked, SYNRetries: tcp.Retransmits}
	}
	return conn, nil
}

// dialSocket is the swarm's own dialer. A duplicate of the socket's descriptor
// lives exactly as long as the dial: a failed dial closes the socket before it
// returns, and only the duplicate can still be asked what happened. To keep it
// longer would leave a timed-out connect resending its SYN.
func (e *httpEngine) dialSocket(ctx context.Context, c *Client) (net.Conn, error) {
	kept := noDescriptor
	defer func() { kept.close() }()
	dialer := net.Dialer{
		ControlContext: func(_ context.Context, network, address string, raw syscall.RawConn) error {
			kept.close() // of an attempt that connected to itself, which net repeats
			var err error
			if kept, err = e.readySocket(network, address, raw, c.Number); err != nil {
				return setupError{err}
			}
			return nil
		},
	}
	conn, err := dialer.DialContext(ctx, "tcp", e.address)
	c.TCP = tcpOf(int(kept), &unix.TCPInfo{}, false, 0)
	c.Local = localAddr(int(kept))
	return conn, err
}

// readySocket binds a socket and returns a duplicate of its descriptor. The caller's Control
// goes first, because it may put another socket behind the descriptor.
func (e *httpEngine) readySocket(network, address string, raw syscall.RawConn, client int) (descriptor, error) {
	if e.cfg.Control != nil {
		if err := e.cfg.Control(network, address, raw); err != nil {
			return noDescriptor, err
		}
	}
	kept := noDescriptor
	var failed error
	err := raw.Control(func(fd uintptr) {
		if failed = e.ports.bind(int(fd), client); failed == nil {
			kept, failed = duplicate(int(fd))
		}
	})
	if err != nil {
		return noDescriptor, err
	}
	return kept, failed
}
