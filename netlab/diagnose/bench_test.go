package diagnose

import (
	"net/netip"
	"runtime"
	"testing"
	"time"
	"unsafe"

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

// loneSYNs is a capture of so many flows of one packet each: what takes the most memory.
func loneSYNs(flows int) scenario.Evidence {
	var packets []scenario.Packet
	for c := range flows {
		client := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(c >> 16), byte(c >> 8), byte(c)}), 40000)
		data := tcpPacket(client, serverEnd, scenario.SYN, uint32(c), 0, "")
		packets = append(packets, scenario.Packet{At: time.Duration(c) * time.Microsecond, Data: data, Length: len(data)})
	}
	return scenario.Evidence{Hosts: []scenario.Witnessed{{Packets: packets}}}
}

// BenchmarkLoneSYNs diagnoses 100,000 of them.
func BenchmarkLoneSYNs(b *testing.B) {
	e := loneSYNs(100_000)
	b.ReportAllocs()
	for b.Loop() {
		if n := len(Run(e).Flows); n != 100_000 {
			b.Fatalf("%d flows, want 100,000", n)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100_000, "ns/packet")
}

// A flow of one packet leaves in the report itself, its name and its one clue, and nothing
// else: what flows have in common is there once. On the way it takes no more than 1200
// bytes, which depend a little on how the maps grow. A million are to fit into a gibibyte.
func TestBytesPerFlow(t *testing.T) { // alone, since it looks at the whole heap
	const flows, most = 50_000, 1200
	const name, clue = 32, 48 // "10.0.0.0:40000>10.0.0.1:80", as the runtime rounds it
	e := loneSYNs(flows)
	inUse, allocated := heap()
	report := Run(e)
	after, total := heap()
	kept, taken, want := (after-inUse)/flows, (total-allocated)/flows, uint64(unsafe.Sizeof(Flow{}))+name+clue
	if len(report.Flows) != flows || kept != want || taken > most {
		t.Errorf("%d flows keep %d bytes each of %d that they take, want %d flows, %d bytes and at most %d", len(report.Flows), kept, taken, flows, want, most)
	}
	runtime.KeepAlive(e)
}

// heap is how many bytes are in use, and how many were ever allocated.
func heap() (inUse, allocated uint64) {
	runtime.GC()
	runtime.GC() // the first one may have begun before, and then left what died in between
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc, stats.TotalAlloc
}
