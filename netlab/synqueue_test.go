package netlab

import (
	"maps"
	"net"
	"net/netip"
	"slices"
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
			if got, want := server.SYNQueues(), map[uint16]int{8080: len(waiting), 8081: 1}; !maps.Equal(got, want) {
				t.Errorf("SYN queues are %v, want %v", got, want)
			}
			checkClients(t, "connections to port 8080", server.Connections(8080), nil)
			checkClients(t, "the client's own SYN queue", client.SYNQueue(8080), nil)
		})
	}
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
