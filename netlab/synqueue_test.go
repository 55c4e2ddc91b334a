package netlab

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// deferAccept makes the kernel keep a connection half open until its client has
// written something: TCP_DEFER_ACCEPT of tcp(7).
func deferAccept(t *testing.T, ln *net.TCPListener) {
	t.Helper()
	raw, err := ln.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	cerr := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 60) // seconds
	})
	if cerr != nil || err != nil {
		t.Fatal(cerr, err)
	}
}

// ends are the clients' own ends of connections, in the order of SYNQueue.
func ends(conns ...net.Conn) (all []netip.AddrPort) {
	for _, c := range conns {
		end := c.LocalAddr().(*net.TCPAddr).AddrPort()
		all = append(all, netip.AddrPortFrom(end.Addr().Unmap(), end.Port()))
	}
	slices.SortFunc(all, netip.AddrPort.Compare)
	return all
}

func checkClients(t *testing.T, what string, got, want []netip.AddrPort) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// Half-open connections are listed by their clients, ordered, in both families and of
// one port only; also those of a listener that serves both families with one socket.
func TestSYNQueueListsHalfOpenConnections(t *testing.T) {
	for _, host := range []string{"198.18.0.2", "[2001:2::2]", ""} {
		t.Run("listening on "+host, func(t *testing.T) {
			t.Parallel()
			client, server := New(t).Pair()
			client.AddAddrs(2)
			deferAccept(t, listen(t, server, host+":8080", 8))
			deferAccept(t, listen(t, server, ":8081", 8))
			targets := []string{host}
			if host == "" {
				targets = []string{"[2001:2::2]", "198.18.0.2"}
			}
			var waiting []net.Conn
			for range 4 {
				for _, target := range targets {
					waiting = append(waiting, dial(t, client, target+":8080"))
				}
			}
			other := dial(t, client, "198.18.0.2:8081")
			checkClients(t, "SYN queue of port 8080", server.SYNQueue(8080), ends(waiting...))
			checkClients(t, "SYN queue of port 8081", server.SYNQueue(8081), ends(other))
			checkClients(t, "SYN queue of port 8082", server.SYNQueue(8082), nil)
			checkClients(t, "connections to port 8080", server.Connections(8080), nil)
			checkClients(t, "the client's own SYN queue", client.SYNQueue(8080), nil)
		})
	}
}

// Listeners that share a port have each their own half-open connections: those to their
// address in their family, and who listens on all addresses has the rest. Members of one
// address cannot be told apart, and one of them has them all.
func TestCountHalfOpen(t *testing.T) {
	t.Parallel()
	client, server := New(t).Pair()
	server.AddAddrs(1)
	v4, v6 := server.Addrs(), server.Addrs6()
	// In the order of QueueSamples: by port, then by address.
	for _, l := range []struct{ network, address string }{
		{"tcp4", "0.0.0.0:8080"}, {"tcp4", v4[0].String() + ":8080"}, {"tcp6", "[" + v6[0].String() + "]:8080"},
		{"tcp4", v4[0].String() + ":8081"}, {"tcp", "[::]:8081"},
		{"tcp4", v4[0].String() + ":8082"}, {"tcp4", v4[0].String() + ":8082"},
	} {
		deferAccept(t, listenMember(t, server, l.network, l.address))
	}
	closed := listenMember(t, server, "tcp4", v4[0].String()+":8083")
	deferAccept(t, closed)
	for _, d := range []struct {
		to      netip.Addr
		port, n int
	}{
		{v4[0], 8080, 1}, {v4[1], 8080, 2}, {v6[0], 8080, 3},
		{v4[0], 8081, 4}, {v4[1], 8081, 2}, {v6[0], 8081, 3},
		{v4[0], 8082, 6}, {v4[0], 8083, 7},
	} {
		for range d.n {
			dial(t, client, netip.AddrPortFrom(d.to, uint16(d.port)).String())
		}
	}
	closed.Close()
	samples := server.QueueSamples()
	server.CountHalfOpen(samples)
	var got []string
	for _, s := range samples {
		got = append(got, fmt.Sprintf("%v: %d of %d", s.Listener, s.SYNQueue, s.Members))
	}
	first, second := samples[len(samples)-2], samples[len(samples)-1]
	if first.Inode > second.Inode {
		got[len(got)-2], got[len(got)-1] = got[len(got)-1], got[len(got)-2]
	}
	want := []string{
		"0.0.0.0:8080: 2 of 0", "198.18.0.2:8080: 1 of 0", "[2001:2::2]:8080: 3 of 0",
		"198.18.0.2:8081: 4 of 0", "[::]:8081: 5 of 0",
		"198.18.0.2:8082: 6 of 2", "198.18.0.2:8082: -1 of 2",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the half-open connections are\n%q, want\n%q", got, want)
	}
}

// listenMember opens a listener that others may share its address and port with.
func listenMember(t *testing.T, h *Host, network, address string) *net.TCPListener {
	t.Helper()
	lc := net.ListenConfig{Control: func(network, address string, raw syscall.RawConn) (err error) {
		if err := h.Control(network, address, raw); err != nil {
			return err
		}
		cerr := raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
		return errors.Join(cerr, err)
	}}
	ln, err := lc.Listen(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln.(*net.TCPListener)
}

// A connection is in one list: of the half-open ones until its client writes, then of
// the others, whether it was accepted or not, and in none when it is closed.
func TestConnectionsListsTheOthers(t *testing.T) {
	for _, host := range []string{"198.18.0.2", "[2001:2::2]", ""} {
		t.Run("listening on "+host, func(t *testing.T) {
			t.Parallel()
			client, server := New(t).Pair()
			ln := listen(t, server, host+":8080", 8)
			deferAccept(t, ln)
			target := host
			if host == "" {
				target = "198.18.0.2"
			}
			var conns []net.Conn
			for range 3 {
				conns = append(conns, dial(t, client, target+":8080"))
			}
			for n, conn := range conns[:2] {
				if _, err := conn.Write([]byte("x")); err != nil {
					t.Fatal(err)
				}
				await(t, "a connection to be queued", func() bool { return server.AcceptQueue(8080).Length == uint32(n+1) })
			}
			accepted, err := ln.AcceptTCP()
			if err != nil {
				t.Fatal(err)
			}
			checkClients(t, "half open", server.SYNQueue(8080), ends(conns[2]))
			checkClients(t, "accepted and queued", server.Connections(8080), ends(conns[:2]...))
			checkClients(t, "to another port", server.Connections(8081), nil)
			if err := accepted.SetLinger(0); err != nil { // leaves at once, with RST
				t.Fatal(err)
			}
			accepted.Close()
			checkClients(t, "after the first was closed", server.Connections(8080), ends(conns[1]))
		})
	}
}
