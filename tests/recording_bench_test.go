package tests

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/rstlab/rstlab/netlab/witness"
)

// BenchmarkRecordedSwarm plays a swarm of 500 clients without and with a recording, in
// turn, and reports the ratio of the medians of their times: what recording costs.
func BenchmarkRecordedSwarm(b *testing.B) {
	client, server := netlab.New(b).Pair()
	ln, err := server.Listen("tcp4", fmt.Sprintf("%s:%d", server.Addr(), frontPort), 4096)
	if err != nil {
		b.Fatal(err)
	}
	front := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
	go func() { _ = front.Serve(ln) }() // ends with Close
	defer front.Close()
	swarm := func() float64 {
		result, err := loadclient.Run(b.Context(), loadclient.Config{
			Target: fmt.Sprintf("http://%s:%d/", server.Addr(), frontPort), Clients: 500, Control: client.Control,
		})
		if err != nil || result.Fates[scenario.Served] != 500 {
			b.Fatal(err, result)
		}
		return float64(result.Elapsed)
	}
	var alone, recorded []float64
	for b.Loop() { // the order is turned each time: the first of two swarms takes longer
		if len(alone)%2 == 0 {
			alone = append(alone, swarm())
		}
		recording := witness.Record(b, witness.Config{}, client, server)
		recorded = append(recorded, swarm())
		recording.Stop()
		if len(alone) < len(recorded) {
			alone = append(alone, swarm())
		}
	}
	slices.Sort(alone)
	slices.Sort(recorded)
	a, r := alone[len(alone)/2], recorded[len(recorded)/2]
	b.ReportMetric(r/a, "recorded/alone")
	b.ReportMetric(500*float64(time.Second)/a, "conn/s")
}
