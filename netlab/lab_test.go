package netlab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// listen opens a listener in the host that the test's end closes.
func listen(t *testing.T, h *Host, address string, backlog int) *net.TCPListener {
	t.Helper()
	ln, err := h.Listen("tcp", address, backlog)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

// dial connects from the host; the test's end closes the connection.
func dial(t *testing.T, h *Host, address string) net.Conn {
	t.Helper()
	conn, err := h.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// The very first packets of a lab arrive, in either family and either direction: no
// SYN is repeated, and no neighbour solicitation, after a second each.
func TestPairConnects(t *testing.T) {
	for range 20 {
		lab := New(t)
		client, server := lab.Pair()
		for _, way := range [][2]*Host{{client, server}, {server, client}} {
			from, to := way[0], way[1]
			for _, addr := range []string{to.Addr(), to.Addr6()} {
				ln := listen(t, to, net.JoinHostPort(addr, "0"), 1)
				ctx, cancel := context.WithTimeout(t.Context(), 900*time.Millisecond)
				conn, err := from.DialContext(ctx, "tcp", ln.Addr().String())
				cancel()
				if err != nil {
					t.Fatal(err)
				}
				conn.Close()
			}
			if moved := from.Counters(); moved["ActiveOpens"] != 2 || moved["TCPSynRetrans"] != 0 {
				t.Fatalf("host %s: %v, want ActiveOpens 2 and no TCPSynRetrans", from.Name(), moved.Only("ActiveOpens", "TCPSynRetrans"))
			}
		}
	}
}

func TestStarConnectsEverybody(t *testing.T) {
	t.Parallel()
	hosts := New(t).Star("client", "front", "backend")
	for i, to := range hosts {
		if want := fmt.Sprintf("198.18.0.%d", i+1); to.Addr() != want {
			t.Errorf("host %s has address %s, want %s", to.Name(), to.Addr(), want)
		}
		ln := listen(t, to, ":8080", 10)
		for _, from := range hosts {
			dial(t, from, net.JoinHostPort(to.Addr(), "8080"))
			dial(t, from, net.JoinHostPort(to.Addr6(), "8080"))
		}
		if q := to.AcceptQueue(8080); q.Length != 6 {
			t.Errorf("%d connections reached host %s at %v, want 6", q.Length, to.Name(), ln.Addr())
		}
	}
	for _, h := range hosts {
		if n := h.Counters()["TCPSynRetrans"]; n != 0 {
			t.Errorf("host %s repeated %d SYNs, want none", h.Name(), n)
		}
	}
}

func TestStarRefusesTooManyHosts(t *testing.T) {
	if _, err := newStar(&Lab{tb: t}, make([]string, 255)); err == nil || err.Error() != "255 names given, want 1 to 254" {
		t.Errorf("newStar of 255 names: %v", err)
	}
}

// 64 labs are alive at once, all with the same addresses, and each client reaches
// the server of its own lab.
func TestLabsAreSeparate(t *testing.T) {
	const labs = 64
	var all sync.WaitGroup
	for i := range labs {
		lab := New(t)
		client, server := lab.Pair()
		ln := listen(t, server, ":8080", 1)
		all.Go(func() {
			conn, err := ln.Accept()
			if err != nil {
				t.Error(err)
				return
			}
			fmt.Fprintf(conn, "lab %d", i)
			conn.Close()
		})
		all.Go(func() {
			conn, err := client.DialContext(t.Context(), "tcp", server.Addr()+":8080")
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			text, err := io.ReadAll(conn)
			if want := fmt.Sprintf("lab %d", i); string(text) != want || err != nil {
				t.Errorf("client %d read %q, %v; want %q", i, text, err, want)
			}
		})
	}
	all.Wait()
	if n := openLabs.Load(); n < labs {
		t.Errorf("%d labs are open, want %d", n, labs)
	}
}

func TestLabsAreMadeInParallel(t *testing.T) {
	New(t) // skips where no lab can be had
	t.Parallel()
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if err := makeAndClose(t); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestAddAddrsSpreadsDials(t *testing.T) {
	t.Parallel()
	client, server := New(t).Pair()
	client.AddAddrs(2)
	listen(t, server, ":8080", 100)
	sources := map[string]int{}
	for range 6 {
		for _, target := range []string{server.Addr(), server.Addr6()} {
			conn := dial(t, client, net.JoinHostPort(target, "8080"))
			source, _, err := net.SplitHostPort(conn.LocalAddr().String())
			if err != nil {
				t.Fatal(err)
			}
			sources[source]++
		}
	}
	want := map[string]int{
		"198.18.0.1": 2, "198.18.1.1": 2, "198.18.2.1": 2,
		"2001:2::1": 2, "2001:2::1:1": 2, "2001:2::2:1": 2,
	}
	if fmt.Sprint(sources) != fmt.Sprint(want) {
		t.Errorf("dials started from %v, want %v", sources, want)
	}
	if conn := dial(t, client, "[::ffff:198.18.0.2]:8080"); conn.LocalAddr().(*net.TCPAddr).IP.To4() == nil {
		t.Errorf("a dial to an IPv4 address in IPv6 form started from %v", conn.LocalAddr())
	}
	if err := client.addMoreAddrs(254); err == nil || err.Error() != "add 254 addresses to 3: a host has at most 256" {
		t.Errorf("one address too many: %v", err)
	}
}

// One address has as many connections to one port as it has ports of its own; more
// addresses have more, and each port serves several targets. Four ports stand for
// the 28,232 of a host, three addresses for as many as a swarm needs.
func TestAddAddrsHoldMoreConnections(t *testing.T) {
	t.Parallel()
	client, server := New(t).Pair()
	client.Sysctl("net.ipv4.ip_local_port_range", "40000 40003")
	client.AddAddrs(2)
	for _, target := range []string{server.Addr() + ":8080", server.Addr() + ":8081"} {
		listen(t, server, target, 100)
		for range 3 * 4 {
			dial(t, client, target)
		}
		conn, err := client.DialContext(t.Context(), "tcp", target)
		if !errors.Is(err, unix.EADDRNOTAVAIL) {
			t.Errorf("connection 13 to %s: %v, %v; want EADDRNOTAVAIL", target, conn, err)
		}
	}
}

func TestAddAddrsConcurrently(t *testing.T) {
	t.Parallel()
	client, _ := New(t).Pair()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := client.addMoreAddrs(3); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n, n6 := len(client.Addrs()), len(client.Addrs6()); n != 13 || n6 != 13 {
		t.Errorf("%d and %d addresses, want 13 of each", n, n6)
	}
}

// What fn of Do opens belongs to the host, and its thread comes home.
// It is not parallel, because others may be in a host while it looks at all threads.
func TestDo(t *testing.T) {
	client, server := New(t).Pair()
	inode := func() (inode uint64) {
		var stat unix.Stat_t
		if err := unix.Stat("/proc/thread-self/ns/net", &stat); err != nil {
			t.Error(err)
		}
		return stat.Ino
	}
	seen := map[uint64]bool{inode(): true}
	for _, h := range []*Host{client, server} {
		if err := h.Do(func() error { seen[inode()] = true; return nil }); err != nil {
			t.Error(err)
		}
	}
	if len(seen) != 3 {
		t.Errorf("%d namespaces seen from the test, client and server, want 3", len(seen))
	}
	if err := server.Do(func() error { return io.ErrUnexpectedEOF }); err != io.ErrUnexpectedEOF {
		t.Errorf("Do returned %v, want fn's error", err)
	}
	if left := strayThreads(); left != nil {
		t.Errorf("threads did not come home: %v", left)
	}
}

func TestDoSurvivesGoexit(t *testing.T) {
	t.Parallel()
	_, server := New(t).Pair()
	err := server.Do(func() error {
		(&testing.T{}).SkipNow() // runtime.Goexit, as in t.Fatal
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "runtime.Goexit") {
		t.Errorf("Do returned %v, want an error about runtime.Goexit", err)
	}
}
