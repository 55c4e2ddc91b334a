package wire

import (
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
	"golang.org/x/sys/unix"
)

// BenchmarkPaced plays the story's cure: 2000 clients 20 ms apart, 40 s of virtual
// time.
func BenchmarkPaced(b *testing.B) {
	s := scenario.Defaults()
	s.Arrivals = scenario.Arrivals{{Clients: 2000, Gap: 20 * time.Millisecond}}
	s.RTT, s.Backlog, s.AbortOnOverflow = 100*time.Millisecond, 64, true
	s.Accept = scenario.Accept{Mode: scenario.AcceptEvery, Every: 10 * time.Millisecond}
	bench(b, s)
}

// BenchmarkTwoWaves plays the largest row of the table of two waves.
func BenchmarkTwoWaves(b *testing.B) {
	s := scenario.Defaults()
	s.Arrivals = scenario.Arrivals{{Clients: 128}, {Clients: 800, At: 500 * time.Millisecond}}
	s.RTT, s.Backlog, s.AbortOnOverflow = 100*time.Millisecond, 128, true
	s.Accept.Mode = scenario.AcceptNever
	bench(b, s)
}

func bench(b *testing.B, s scenario.Scenario) {
	w := newWire(b)
	packets := 0
	for b.Loop() {
		if _, err := w.Play(s); err != nil {
			b.Fatal(err)
		}
		packets += len(w.Packets())
	}
	b.ReportMetric(float64(packets)/b.Elapsed().Seconds(), "packets/s")
}

// BenchmarkForward carries segments of one connection, a byte each, and their ACKs.
func BenchmarkForward(b *testing.B) {
	w := newWire(b)
	conn := connected(b, w)
	if err := unix.SetsockoptInt(conn.clients[0], unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		b.Fatal(err)
	}
	packets := 0
	for b.Loop() {
		for range 10 { // the initial congestion window
			if err := conn.write(0); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Run(); err != nil {
			b.Fatal(err)
		}
		packets += len(w.packets)
		w.forget()
		if n, err := unix.Read(conn.accepted[0], w.buffer); n != 10 {
			b.Fatalf("the server read %d bytes, want 10: %v", n, err)
		}
	}
	b.ReportMetric(float64(packets)/b.Elapsed().Seconds(), "packets/s")
}
