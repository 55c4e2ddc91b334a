package loadclient_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// server is a TCP server that counts what it accepts.
type server struct {
	ln       *net.TCPListener
	near     net.Dialer // makes connections to it
	accepted atomic.Int64
	running  sync.WaitGroup
}

// listen opens a listener of this machine that nobody accepts from yet.
func listen(tb testing.TB, address string) *server {
	tb.Helper()
	var config net.ListenConfig
	config.SetMultipathTCP(false)
	ln, err := config.Listen(tb.Context(), "tcp", address)
	if err != nil {
		tb.Fatalf("listen: %v", err)
	}
	return newServer(tb, ln.(*net.TCPListener), net.Dialer{})
}

func newServer(tb testing.TB, ln *net.TCPListener, near net.Dialer) *server {
	s := &server{ln: ln, near: near}
	tb.Cleanup(s.stop)
	return s
}

// stop closes the listener and waits for its handlers. It may be called twice.
func (s *server) stop() {
	s.ln.Close()
	s.running.Wait()
}

func (s *server) target() string { return "http://" + s.ln.Addr().String() + "/" }

// serve accepts until stop and gives each connection to handle, which closes it.
func (s *server) serve(handle func(*net.TCPConn)) *server {
	s.running.Go(func() {
		for {
			conn, err := s.ln.AcceptTCP()
			if err != nil {
				return
			}
			s.accepted.Add(1)
			conn.SetDeadline(time.Now().Add(20 * time.Second)) // bounds the handlers of a test that fails
			s.running.Go(func() { handle(conn) })
		}
	})
	return s
}

// closing closes the connection after serve is done with it.
func closing(serve func(io.ReadWriter)) func(*net.TCPConn) {
	return func(conn *net.TCPConn) {
		defer conn.Close()
		serve(conn)
	}
}

// resetting sends RST after a number of requests, of which none is answered.
func resetting(requests int) func(*net.TCPConn) {
	return func(conn *net.TCPConn) {
		defer conn.Close()
		conn.SetLinger(0)
		r := bufio.NewReader(conn)
		for range requests {
			readRequest(r)
		}
	}
}

// fill makes the accept queue full with one connection that waits in it, so
// that every further SYN is dropped: with backlog 0 the queue holds 1. The
// connection ends with the test, or when empty is called.
func (s *server) fill(tb testing.TB) (empty func()) {
	tb.Helper()
	control(tb, s.ln, func(fd int) error { return unix.Listen(fd, 0) })
	filler, err := s.near.DialContext(tb.Context(), "tcp", s.ln.Addr().String())
	if err != nil {
		tb.Fatalf("fill accept queue: %v", err)
	}
	tb.Cleanup(func() { filler.Close() })
	await(tb, "the accept queue to hold 1", func() bool { return s.queued(tb) == 1 })
	return func() { filler.Close() }
}

// queued is how many connections are in the accept queue.
func (s *server) queued(tb testing.TB) (n uint32) {
	tb.Helper()
	control(tb, s.ln, func(fd int) error {
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err == nil {
			n = info.Unacked
		}
		return err
	})
	return n
}

// drops is how many SYNs the listener has dropped. The client counts a retry before
// it sends it, so only the listener knows when it has come.
//
// Source: SO_MEMINFO, an array of uint32, with SK_MEMINFO_DROPS at index 8
// (include/uapi/linux/sock_diag.h).
func (s *server) drops(tb testing.TB) uint32 {
	tb.Helper()
	var info [9]uint32
	control(tb, s.ln, func(fd int) error {
		size := uint32(unsafe.Sizeof(info))
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
		if errno != 0 {
			return errno
		}
		return nil
	})
	return info[8]
}

// control runs f on the socket's descriptor.
func control(tb testing.TB, socket syscall.Conn, f func(fd int) error) {
	tb.Helper()
	if err := onDescriptor(socket, f); err != nil {
		tb.Fatalf("control: %v", err)
	}
}

// onDescriptor is control for any goroutine.
func onDescriptor(socket syscall.Conn, f func(fd int) error) error {
	raw, err := socket.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = f(int(fd)) })
	return errors.Join(err, failed)
}

// await looks every few milliseconds until holds does.
func await(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	if !eventually(holds) {
		tb.Fatalf("still waiting for %s", what)
	}
}

// eventually is await for any goroutine.
func eventually(holds func() bool) bool {
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	bound := time.After(20 * time.Second)
	for !holds() {
		select {
		case <-look.C:
		case <-bound:
			return false
		}
	}
	return true
}
