package witness

import (
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab"
)

// What it takes to begin and to end a recording of two hosts.
func BenchmarkRecordAndStop(b *testing.B) {
	for name, cfg := range map[string]Config{"packets": {}, "trace": {Trace: true}} {
		b.Run(name, func(b *testing.B) {
			client, server := netlab.New(b).Pair()
			if cfg.Trace {
				needTrace(b)
			}
			var recording, stopping, closing time.Duration
			for b.Loop() {
				begin := time.Now()
				rec := Record(b, cfg, client, server)
				recorded := time.Now()
				rec.Stop()
				stopped := time.Now()
				must(b, <-rec.closed)
				rec.closed <- nil // for the end of the benchmark
				recording, stopping, closing = recording+recorded.Sub(begin), stopping+stopped.Sub(recorded), closing+time.Since(stopped)
			}
			b.ReportMetric(float64(recording.Microseconds())/float64(b.N), "µs/Record")
			b.ReportMetric(float64(stopping.Microseconds())/float64(b.N), "µs/Stop")
			b.ReportMetric(float64(closing.Microseconds())/float64(b.N), "µs/close")
		})
	}
}

// What a connection takes, six packets and their answers, with and without a recording.
func BenchmarkConnect(b *testing.B) {
	for _, c := range []struct {
		name   string
		record bool
		config Config
	}{{"alone", false, Config{}}, {"recorded", true, Config{}}, {"full", true, Config{MaxPackets: 1}}, {"traced", true, Config{Trace: true}}} {
		b.Run(c.name, func(b *testing.B) {
			client, server := netlab.New(b).Pair()
			if c.config.Trace {
				needTrace(b)
			}
			ln := listen(b, server, server.Addr()+":8080", 10)
			if c.record {
				Record(b, c.config, client, server)
			}
			for b.Loop() {
				conn, err := client.DialContext(b.Context(), "tcp", ln.Addr().String())
				must(b, err)
				peer, err := ln.AcceptTCP()
				must(b, err)
				must(b, peer.SetLinger(0)) // a port in TIME_WAIT could not be used again
				must(b, peer.Close())
				must(b, conn.Close())
			}
		})
	}
}

// What one look at a host takes: counters and queues of one listener.
func BenchmarkLook(b *testing.B) {
	_, server := netlab.New(b).Pair()
	listen(b, server, server.Addr()+":8080", 10)
	s := startSampler(time.Now(), time.Hour, []*netlab.Host{server})
	defer s.halt()
	b.ReportAllocs()
	for b.Loop() {
		s.look(false)
	}
}
