package wire

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { netlab.Main(m) }

// newWire makes a wire, or skips where there is no lab or no TUN device.
func newWire(tb testing.TB) *Wire {
	tb.Helper()
	netlab.New(tb)
	if err := netlab.TUNAvailable(); err != nil {
		tb.Skip(err)
	}
	return New(tb)
}

// connected makes one connection over the wire, which the server has accepted.
func connected(tb testing.TB, w *Wire) *sockets {
	tb.Helper()
	conn := open(tb, &w.hosts, 1, false)
	must(tb, conn.connect(0))
	must(tb, w.Run())
	if port, err := conn.accept(); err != nil || port == 0 {
		tb.Fatalf("accept: port %d, %v", port, err)
	}
	return conn
}

// open makes a listener, whose queue has room for all, and sockets for n clients.
func open(tb testing.TB, h *hosts, n int, ipv6 bool) *sockets {
	tb.Helper()
	s := scenario.Defaults()
	s.Arrivals, s.Backlog, s.IPv6 = scenario.Arrivals{{Clients: n}}, n, ipv6
	h.port++
	all, err := openSockets(h, s)
	must(tb, err)
	tb.Cleanup(all.close)
	return all
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// states tells what the sockets of the first clients are: undecided if established.
func states(t *testing.T, all *sockets, clients int) string {
	t.Helper()
	var names []string
	for n := range clients {
		fate, err := all.fate(n)
		must(t, err)
		names = append(names, fate.String())
	}
	return strings.Join(names, " ")
}

// acceptAll tells the ports of the clients in the accept queue, in its order.
func acceptAll(t *testing.T, all *sockets) (ports []uint16) {
	t.Helper()
	for {
		port, err := all.accept()
		must(t, err)
		if port == 0 {
			return ports
		}
		ports = append(ports, port)
	}
}

// local is the address of client n's own end.
func local(t *testing.T, all *sockets, n int) netip.AddrPort {
	t.Helper()
	name, err := unix.Getsockname(all.clients[n])
	must(t, err)
	switch name := name.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(name.Addr), uint16(name.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(name.Addr), uint16(name.Port))
	}
	t.Fatalf("client %d has address %v", n, name)
	return netip.AddrPort{}
}

// from matches the segments of one end with exactly these flags.
func from(side Side, flags scenario.Flags) func(*Packet) bool {
	return func(p *Packet) bool { return p.From == side && p.Is(flags) }
}

func everything(*Packet) bool { return true }

// travels tells of each packet, one a line, who sent which flags, when, and when it
// arrived: "client S 0s [50ms]".
func travels(w *Wire) string {
	var lines strings.Builder
	for _, p := range w.Packets() {
		s, _ := p.Segment()
		fmt.Fprintf(&lines, "%v %v %v %v\n", p.From, s.Flags, p.Sent, p.Arrived)
	}
	return lines.String()
}

// checkTravels compares the journeys with what is wanted, one a line.
func checkTravels(t *testing.T, w *Wire, want ...string) {
	t.Helper()
	if got, want := travels(w), strings.Join(want, "\n")+"\n"; got != want {
		t.Errorf("the packets went\n%swant\n%s", got, want)
	}
}
