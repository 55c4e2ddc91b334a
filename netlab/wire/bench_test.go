package wire

import (
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
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
	w := New(b)
	packets := 0
	for b.Loop() {
		if _, err := w.Play(s); err != nil {
			b.Fatal(err)
		}
		packets += len(w.Packets())
	}
	b.ReportMetric(float64(packets)/b.Elapsed().Seconds(), "packets/s")
}
