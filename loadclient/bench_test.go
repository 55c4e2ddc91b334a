package loadclient_test

import (
	"testing"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// BenchmarkBurst reports, beside the time of a run of 400 clients, the width of
// the burst: from the first client's start to the last one's connection.
func BenchmarkBurst(b *testing.B) {
	server := listen(b, loopback).serve(closing(answering(okAnswer)))
	var width time.Duration
	for b.Loop() {
		result, err := loadclient.Run(b.Context(), loadclient.Config{Target: server.target(), Clients: 400})
		if err != nil || result.Fates[scenario.Served] != 400 {
			b.Fatalf("Run() = %v, %v, want 400 served", result, err)
		}
		var last time.Duration
		for _, c := range result.Clients {
			last = max(last, c.Connected)
		}
		width += last
	}
	b.ReportMetric(float64(width.Microseconds())/1000/float64(b.N), "width-ms")
}
