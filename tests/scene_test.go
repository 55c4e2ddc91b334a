package tests

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/rstlab/rstlab/netlab/wire"
	"golang.org/x/sys/unix"
)

// scene is where a cause is made to happen: two hosts on a wire in real time, with all
// witnesses on.
type scene struct {
	*testing.T
	w       *wire.Wire
	clients []scenario.ClientError
	start   func()
	stop    func() staged
}

// staged is a cause that was made to happen: what was witnessed of it, and the wire that
// it went over.
type staged struct {
	scenario.Evidence
	wire *wire.Wire
}

// sceneRTT is long enough that one end's news is late at the other.
const sceneRTT = 10 * time.Millisecond

// newScene makes the hosts. Rules and servers come next, and then start.
func newScene(t *testing.T, tb netlab.TB) *scene {
	t.Helper()
	needTUN(t)
	s := &scene{T: t, w: wire.New(tb)}
	s.w.SetRTT(sceneRTT)
	var stopLive func()
	s.start = func() {
		s.w.Record()
		stopLive = s.w.GoLive()
	}
	s.stop = func() staged {
		stopLive()
		e := staged{s.w.Evidence(), s.w}
		e.Clients = s.clients
		return e
	}
	return s
}

// otherPort is that of a second listener.
const otherPort = frontPort + 1

// listen opens a listener on the server's port; it is closed with the test.
func (s *scene) listen(backlog int) *net.TCPListener {
	s.Helper()
	return s.listenOn(frontPort, backlog)
}

func (s *scene) listenOn(port, backlog int) *net.TCPListener {
	s.Helper()
	ln, err := s.w.Server.Listen("tcp4", s.address(port), backlog)
	fatal(s.T, err)
	s.Cleanup(func() { ln.Close() })
	return ln
}

func (s *scene) target() string { return s.address(frontPort) }

func (s *scene) address(port int) string {
	return netip.AddrPortFrom(s.w.Server.Addrs()[0], uint16(port)).String()
}

// dial connects a client, which must succeed.
func (s *scene) dial() *net.TCPConn {
	s.Helper()
	return s.dialTo(frontPort)
}

func (s *scene) dialTo(port int) *net.TCPConn {
	s.Helper()
	conn, err := s.tryDial(port)
	fatal(s.T, err)
	return conn
}

// patience bounds what a scene waits for; the slowest takes three seconds.
const patience = 8 * time.Second

// tryDial connects a client and notes its error.
func (s *scene) tryDial(port int) (*net.TCPConn, error) {
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	conn, err := s.w.Client.DialContext(ctx, "tcp4", s.address(port))
	if err != nil {
		s.note(netip.AddrPort{}, "dial", err)
		return nil, err
	}
	tcp := conn.(*net.TCPConn)
	s.Cleanup(func() { tcp.Close() })
	fatal(s.T, tcp.SetDeadline(time.Now().Add(patience)))
	return tcp, nil
}

// read waits until a client's read returns and notes how it failed.
func (s *scene) read(conn *net.TCPConn) {
	s.Helper()
	if _, err := conn.Read(make([]byte, 4096)); err != nil {
		s.note(conn.LocalAddr().(*net.TCPAddr).AddrPort(), "read", err)
	}
}

// write sends text from one end, which must succeed.
func (s *scene) write(conn net.Conn, text string) {
	s.Helper()
	_, err := conn.Write([]byte(text))
	fatal(s.T, err)
}

// receive reads exactly so much at one end.
func (s *scene) receive(conn net.Conn, n int) {
	s.Helper()
	_, err := io.ReadFull(conn, make([]byte, n))
	fatal(s.T, err)
}

// accept takes a connection at the server.
func (s *scene) accept(ln *net.TCPListener) *net.TCPConn {
	s.Helper()
	fatal(s.T, ln.SetDeadline(time.Now().Add(patience)))
	conn, err := ln.AcceptTCP()
	fatal(s.T, err)
	s.Cleanup(func() { conn.Close() })
	return conn
}

// note keeps what a client was told.
func (s *scene) note(local netip.AddrPort, phase string, err error) {
	e := scenario.ClientError{Local: local, Phase: phase, Text: err.Error()}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		e.Errno = unix.ErrnoName(errno)
	}
	s.clients = append(s.clients, e)
}

// until waits for a condition of the scene.
func (s *scene) until(what string, condition func() bool) {
	s.Helper()
	if !await(condition) {
		s.Fatalf("it did not come to pass that %s", what)
	}
}

// connect starts connects that nobody waits for; their sockets are closed with the test.
func (s *scene) connect(port, n int) {
	s.Helper()
	fatal(s.T, s.w.Client.Do(func() error {
		for range n {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return err
			}
			s.Cleanup(func() { _ = unix.Close(fd) })
			target := &unix.SockaddrInet4{Addr: s.w.Server.Addrs()[0].As4(), Port: port}
			if err := unix.Connect(fd, target); !errors.Is(err, unix.EINPROGRESS) {
				return fmt.Errorf("connect: %w, want that it is in progress", err)
			}
		}
		return nil
	}))
}

// counted waits until a counter of a host stands at n.
func (s *scene) counted(h *netlab.Host, name string, n int) {
	s.Helper()
	s.until(fmt.Sprintf("%s at the %s is %d", name, h.Name(), n), func() bool { return h.Counters()[name] == uint64(n) })
}

// queued waits until so many connections are in the listener's accept queue.
func (s *scene) queued(n int) {
	s.Helper()
	s.queuedOn(frontPort, n)
}

func (s *scene) queuedOn(port, n int) {
	s.Helper()
	s.until("the accept queue is filled", func() bool { return int(s.w.Server.AcceptQueue(port).Length) == n })
}

// fromClient matches the client's segments with these flags, whatever they carry.
func fromClient(p *wire.Packet, flags scenario.Flags) bool {
	return p.From == wire.Client && p.Is(flags)
}
