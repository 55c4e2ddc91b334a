package witness

import (
	"context"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { netlab.Main(m) }

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// pair makes two hosts that do not speak of their own accord: no multicast listener
// reports, which only IPv6 sends.
func pair(tb testing.TB) (client, server *netlab.Host) {
	tb.Helper()
	client, server = netlab.New(tb).Pair()
	for _, h := range []*netlab.Host{client, server} {
		h.Sysctl("net.ipv6.conf.all.disable_ipv6", "1")
	}
	return client, server
}

// listen opens a listener in the host that the test's end closes.
func listen(tb testing.TB, h *netlab.Host, address string, backlog int) *net.TCPListener {
	tb.Helper()
	ln, err := h.Listen("tcp", address, backlog)
	must(tb, err)
	tb.Cleanup(func() { ln.Close() })
	return ln
}

// dial connects n times; the test's end closes the connections.
func dial(tb testing.TB, from *netlab.Host, address string, n int) (conns []net.Conn) {
	tb.Helper()
	for range n {
		conn, err := from.DialContext(context.Background(), "tcp", address)
		must(tb, err)
		tb.Cleanup(func() { conn.Close() })
		conns = append(conns, conn)
	}
	return conns
}

// sentAndReceived counts the host's TCP segments in each direction.
func sentAndReceived(w scenario.Witnessed) (sent, received uint64) {
	own := map[netip.Addr]bool{}
	for _, a := range w.Addrs {
		own[a] = true
	}
	for _, p := range w.Packets {
		if s, ok := scenario.ReadSegment(p.Data); ok && own[s.Source.Addr()] {
			sent++
		} else if ok {
			received++
		}
	}
	return sent, received
}

// half makes a client's socket that has begun to connect, and never blocks.
func half(tb testing.TB, from *netlab.Host, to netip.AddrPort) int {
	tb.Helper()
	var fd int
	must(tb, from.Do(func() (err error) {
		fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		return err
	}))
	tb.Cleanup(func() { unix.Close(fd) })
	if err := unix.Connect(fd, &unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())}); err != unix.EINPROGRESS {
		tb.Fatalf("connect: %v, want %v", err, unix.EINPROGRESS)
	}
	return fd
}

// localOf is the address of a socket's own end.
func localOf(tb testing.TB, fd int) netip.AddrPort {
	tb.Helper()
	name, err := unix.Getsockname(fd)
	must(tb, err)
	in4 := name.(*unix.SockaddrInet4)
	return netip.AddrPortFrom(netip.AddrFrom4(in4.Addr), uint16(in4.Port))
}

// deferAccept makes a listener keep clients half-open until they write.
func deferAccept(tb testing.TB, ln *net.TCPListener) syscall.RawConn {
	tb.Helper()
	raw, err := ln.SyscallConn()
	must(tb, err)
	must(tb, raw.Control(func(fd uintptr) {
		must(tb, unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 30)) // seconds
	}))
	return raw
}

// overflow lets the ACK of n clients meet a full accept queue. While a listener defers
// (TCP_DEFER_ACCEPT), a client without data stays half-open; then the limit is lowered and
// all of them write, and only the first finds a place. It gives the clients that do not.
// The listener's address has the port 8080.
func overflow(tb testing.TB, client, server *netlab.Host, listener string, n int) (lost []netip.AddrPort) {
	tb.Helper()
	address := netip.MustParseAddrPort(server.Addr() + ":8080")
	raw := deferAccept(tb, listen(tb, server, listener, n+1))
	var fds []int
	for range n + 1 {
		fds = append(fds, half(tb, client, address))
	}
	await(tb, "all handshakes to wait for data", func() bool { return server.Counters()["TCPDeferAcceptDrop"] == uint64(n+1) })
	must(tb, raw.Control(func(fd uintptr) { must(tb, unix.Listen(int(fd), 0)) }))
	for i, fd := range fds {
		_, err := unix.Write(fd, []byte("x"))
		must(tb, err)
		if i > 0 {
			lost = append(lost, localOf(tb, fd))
		} else {
			await(tb, "the first client to be queued", func() bool { return server.AcceptQueue(8080).Length == 1 })
		}
	}
	await(tb, "the others to overflow", func() bool { return server.Counters()["ListenOverflows"] >= uint64(n) })
	return lost
}

const awaitTimeout = 5 * time.Second

// await returns once done says yes, which takes the kernel microseconds, or ends the
// test with it.
func await(tb testing.TB, what string, done func() bool) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), awaitTimeout)
	defer cancel()
	for !done() {
		if ctx.Err() != nil {
			tb.Fatalf("waited %v for %s", awaitTimeout, what)
		}
	}
}
