package wire

import (
	"testing"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// connected makes one connection over the wire, which the server has accepted.
func connected(tb testing.TB, w *Wire) *sockets {
	tb.Helper()
	conn := open(tb, w, 1)
	must(tb, conn.connect(0))
	must(tb, w.Run())
	if port, err := conn.accept(); err != nil || port == 0 {
		tb.Fatalf("accept: port %d, %v", port, err)
	}
	return conn
}

// open makes a listener and sockets for n clients.
func open(tb testing.TB, w *Wire, n int) *sockets {
	tb.Helper()
	s := scenario.Defaults()
	s.Arrivals, s.Backlog = scenario.Arrivals{{Clients: n}}, n
	all, err := openSockets(&w.hosts, s)
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
