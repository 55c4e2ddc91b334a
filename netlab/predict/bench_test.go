package predict

import (
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// BenchmarkClients plays a million clients that a server accepts one by one.
func BenchmarkClients(b *testing.B) {
	s := scenario.Defaults()
	s.Arrivals = scenario.Arrivals{{Clients: 1_000_000, Gap: 10 * time.Microsecond}}
	s.RTT, s.Backlog, s.Write = 10*time.Millisecond, 4096, new(time.Duration(0))
	s.Accept = scenario.Accept{Mode: scenario.AcceptEvery, Every: 15 * time.Microsecond}
	bench(b, s)
}

// BenchmarkStorm plays ten million clients that arrive at once and repeat their SYNs
// for thirty seconds.
func BenchmarkStorm(b *testing.B) {
	s := scenario.Defaults()
	s.Arrivals = scenario.Arrivals{{Clients: 10_000_000}}
	s.RTT, s.Backlog, s.AbortOnOverflow, s.Horizon = 10*time.Millisecond, 4096, true, 30*time.Second
	s.Accept = scenario.Accept{Mode: scenario.AcceptEvery, Every: 10 * time.Microsecond}
	bench(b, s)
}

func bench(b *testing.B, s scenario.Scenario) {
	for b.Loop() {
		if _, err := Run(s, scenario.Modern); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*s.Arrivals.Clients())/b.Elapsed().Seconds(), "clients/s")
}
