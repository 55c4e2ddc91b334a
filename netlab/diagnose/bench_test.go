package diagnose

import (
	"net/netip"
	"testing"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// BenchmarkRun diagnoses 100,000 packets of connections half of which were reset.
func BenchmarkRun(b *testing.B) {
	var packets []scenario.Packet
	for c := 0; len(packets) < 100_000; c++ {
		k := newTalk()
		k.client = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(c >> 8), byte(c)}), 40000)
		if c%2 == 0 {
			k.say(">S <S. >. <R")
		} else {
			k.say(">S <S. >. >P.:GET_/ <. <P.:HTTP/1.1 >. >F. <F. >.")
		}
		packets = append(packets, k.packets...)
	}
	e := scenario.Evidence{Hosts: []scenario.Witnessed{{Packets: packets[:100_000]}}}
	b.ReportAllocs()
	for b.Loop() {
		if len(Run(e).Flows) == 0 {
			b.Fatal("no flows")
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100_000, "ns/packet")
}
