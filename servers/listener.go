package servers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// Listener is a TCP listener whose accept queue and accept loop can be changed
// while it runs. It implements net.Listener.
//
// Use Listen, ListenMembers or NewListener; the zero Listener is invalid. All
// methods are safe for concurrent use.
type Listener struct {
	tcp   *net.TCPListener
	gate  *gate
	abort atomic.Bool
}

// Listen opens a listener on plain TCP: Go's default is Multipath TCP, whose
// sockets take no socket filter. The caller's lc is not changed. Network is
// tcp, tcp4 or tcp6.
func Listen(ctx context.Context, lc net.ListenConfig, network, address string) (*Listener, error) {
	lc.SetMultipathTCP(false)
	ln, err := lc.Listen(ctx, network, address)
	if err != nil {
		return nil, err
	}
	tcp, ok := ln.(*net.TCPListener)
	if !ok {
		ln.Close()
		return nil, fmt.Errorf("listen %s: network is %q, want tcp, tcp4 or tcp6", address, network)
	}
	return NewListener(tcp), nil
}

// NewListener steers ln. The Listener owns ln from now on, its deadline too.
func NewListener(ln *net.TCPListener) *Listener {
	return &Listener{tcp: ln, gate: newGate(ln.SetDeadline)}
}

// Addr is the address listened on.
func (l *Listener) Addr() net.Addr { return l.tcp.Addr() }

// Accept takes the next connection out of the accept queue, as soon as the gate
// and the pace allow. The connection is a *net.TCPConn. After Close the error
// matches net.ErrClosed.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.take()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded): // Hold interrupted it
			continue
		case err != nil:
			return nil, err
		}
		if l.abort.Load() {
			if err := conn.SetLinger(0); err != nil {
				conn.Close()
				return nil, err
			}
		}
		return conn, nil
	}
}

// take is one passage through the gate.
func (l *Listener) take() (conn *net.TCPConn, err error) {
	if err := l.gate.enter(); err != nil {
		return nil, &net.OpError{Op: "accept", Net: l.Addr().Network(), Addr: l.Addr(), Err: err}
	}
	waiting, _, err := l.Queue()
	if err == nil {
		conn, err = l.tcp.AcceptTCP()
	}
	l.gate.leave(err == nil, waiting == 0)
	return conn, err
}

// Hold shuts the gate: once it has returned, Accept takes nothing, and
// completed handshakes stay in the accept queue. An Accept that is waiting in
// the kernel is called back and waits at the gate instead.
func (l *Listener) Hold() { l.gate.hold() }

// Release opens the gate that Hold shut. It does nothing when the gate is open.
func (l *Listener) Release() { l.gate.release() }

// SetPace allows one accept every so often; zero or less means at once, which
// is how a Listener begins.
//
// The first slot is one interval after the latest accept, or now if there was
// none. While connections wait, slots are absolute deadlines: a loop that was held
// up, be it by SIGSTOP, makes up for all it missed. After idleness the next slot is one interval after the accept
// that ended it, and after Release it is now.
// An Accept that waits for its slot goes by the new pace at once. One that is in
// the kernel already has had its slot, and takes one connection.
func (l *Listener) SetPace(every time.Duration) { l.gate.setPace(every) }

// SetAbort makes the Close of every connection accepted from now on discard
// what is unsent and answer RST instead of FIN (SO_LINGER with zero seconds). A
// connection whose two directions are both shut down already sends no RST.
//
// Source, measured on v6.18: __tcp_close and tcp_disconnect (net/ipv4/tcp.c).
func (l *Listener) SetAbort(on bool) { l.abort.Store(on) }

// Close stops listening, whatever the gate and the pace say, and unblocks
// Accept. The kernel answers RST to every connection in the accept queue.
// Closing again does nothing.
func (l *Listener) Close() error {
	if !l.gate.close() {
		return nil
	}
	return l.tcp.Close()
}
