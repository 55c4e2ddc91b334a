package wire

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/rstlab/rstlab/netlab/scenario"
	"golang.org/x/sys/unix"
)

const rtt = 100 * time.Millisecond

// connectAll starts all clients at this instant, and notes their ports.
func connectAll(t *testing.T, all *sockets) (ports []uint16) {
	t.Helper()
	for n := range all.clients {
		must(t, all.connect(n))
		ports = append(ports, local(t, all, n).Port())
	}
	return ports
}

// While their ACKs are held, clients are established at their own end only. Released,
// the ACKs travel from then on, in order.
func TestHoldAndRelease(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.SetRTT(rtt)
	all := open(t, &w.hosts, 3, false)
	acks := w.Hold(from(Client, scenario.ACK))
	ports := connectAll(t, all)
	must(t, w.Run())
	if got := states(t, all, 3); got != "undecided undecided undecided" || acks.Count() != 3 {
		t.Errorf("clients are %s and %d ACKs are held, want all three established and held", got, acks.Count())
	}
	if got := acceptAll(t, all); got != nil {
		t.Errorf("before the release the server accepted %v, want nobody", got)
	}
	if got := w.Server.SYNQueue(w.hosts.port); len(got) != 3 {
		t.Errorf("before the release the SYN queue holds %v, want three", got)
	}
	w.At(300*time.Millisecond, func() error { w.Release(acks); return nil })
	must(t, w.Run())
	if got := acceptAll(t, all); !slices.Equal(got, ports) {
		t.Errorf("after the release the server accepted %v, want %v", got, ports)
	}
	checkTravels(t, w,
		"client S 0s [50ms]", "client S 0s [50ms]", "client S 0s [50ms]",
		"server S. 50ms [100ms]", "server S. 50ms [100ms]", "server S. 50ms [100ms]",
		"client . 100ms [350ms]", "client . 100ms [350ms]", "client . 100ms [350ms]")
}

// A rule that was released is over, and what it has held is not held again.
func TestReleaseEndsTheRule(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	all := open(t, &w.hosts, 2, false)
	for n, rule := range []*Rule{w.Hold(from(Client, scenario.SYN)), w.Drop(from(Client, scenario.SYN))} {
		must(t, all.connect(n))
		must(t, w.Run())
		w.Release(rule)
		must(t, w.Run())
		if rule.Count() != 1 {
			t.Errorf("rule %d counts %d, want 1", n, rule.Count())
		}
		w.Release(rule) // changes nothing
		must(t, w.Run())
	}
	if got := states(t, all, 2); got != "undecided syn_dropped" {
		t.Errorf("clients are %s, want the one that was held established and the other one's SYN lost", got)
	}
	checkTravels(t, w, "client S 0s [0s]", "server S. 0s [0s]", "client . 0s [0s]", "client S 0s []")
}

// The first client's ACK waits for the last client's SYN, and a SYN that is sent again is
// lost, until the rule is released.
func TestTogether(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	all := open(t, &w.hosts, 3, false)
	together := w.Together(2)
	for n := range 3 {
		must(t, all.connect(n))
		must(t, w.Run())
		if got, want := len(w.Server.SYNQueue(w.hosts.port)), []int{1, 0, 0}[n]; got != want {
			t.Errorf("with client %d there are %d in the SYN queue, want %d", n, got, want)
		}
	}
	syn := w.Packets()[0].Data
	w.take(Client, syn)
	must(t, w.Run())
	w.Release(together)
	w.take(Client, syn)
	must(t, w.Run())
	checkTravels(t, w, "client S 0s [0s]", "server S. 0s [0s]", "client . 0s [0s]",
		"client S 0s [0s]", "server S. 0s [0s]", "client . 0s [0s]",
		"client S 0s [0s]", "server S. 0s [0s]", "client . 0s [0s]",
		"client S 0s []", "client S 0s [0s]", "server . 0s [0s]")
}

func TestDropLoses(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	all := open(t, &w.hosts, 2, false)
	before := w.Server.Counters()
	dropped := w.Drop(from(Client, scenario.SYN))
	connectAll(t, all)
	must(t, w.Run())
	if got := states(t, all, 2); got != "syn_dropped syn_dropped" || dropped.Count() != 2 {
		t.Errorf("clients are %s and the rule counts %d, want two without an answer", got, dropped.Count())
	}
	if moved := w.Server.Counters().Since(before); moved["InSegs"] != 0 {
		t.Errorf("the server received %d segments, want none", moved["InSegs"])
	}
	checkTravels(t, w, "client S 0s []", "client S 0s []")
}

// A client that hears the SYN-ACK twice answers twice: RFC 5961, section 4.
func TestDuplicateDeliversTwice(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.SetRTT(rtt)
	all := open(t, &w.hosts, 1, false)
	before := w.Client.Counters()
	twice := w.Duplicate(from(Server, scenario.SYN|scenario.ACK))
	connectAll(t, all)
	must(t, w.Run())
	checkTravels(t, w,
		"client S 0s [50ms]", "server S. 50ms [100ms 100ms]", "client . 100ms [150ms]", "client . 100ms [150ms]")
	moved := w.Client.Counters().Since(before).Only("InSegs", "OutSegs", "TCPSYNChallenge", "TCPChallengeACK").String()
	if want := "InSegs 2, OutSegs 3, TCPChallengeACK 1, TCPSYNChallenge 1"; moved != want || twice.Count() != 1 {
		t.Errorf("the client counted %s and the rule %d, want %s and 1", moved, twice.Count(), want)
	}
}

func TestFirstRuleDecides(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	all := open(t, &w.hosts, 1, false)
	rules := []*Rule{w.Hold(from(Client, scenario.SYN)), w.Drop(everything), w.Duplicate(everything)}
	counts := func() string {
		return fmt.Sprint(rules[0].Count(), rules[1].Count(), rules[2].Count())
	}
	connectAll(t, all)
	must(t, w.Run())
	if got := counts(); got != "1 0 0" {
		t.Errorf("after the SYN the rules count %s, want 1 0 0", got)
	}
	w.Release(rules[0])
	must(t, w.Run())
	if got := counts(); got != "1 1 0" {
		t.Errorf("after the SYN-ACK the rules count %s, want 1 1 0", got)
	}
	checkTravels(t, w, "client S 0s [0s]", "server S. 0s []")
}

// An injected RST is asked no rule and travels as long as any packet. The kernel
// believes it if its checksum is right.
func TestInjectReset(t *testing.T) {
	for _, ipv6 := range []bool{false, true} {
		for checksums, want := range map[bool]struct {
			err      error
			counters string
		}{
			true:  {unix.ECONNRESET, "EstabResets 1, InSegs 1"},
			false: {unix.EAGAIN, "InCsumErrors 1, InErrs 1, InSegs 1"},
		} {
			t.Run(fmt.Sprintf("ipv6=%v,checksums=%v", ipv6, checksums), func(t *testing.T) {
				t.Parallel()
				w := newWire(t)
				w.SetRTT(rtt)
				all := open(t, &w.hosts, 1, ipv6)
				connectAll(t, all)
				must(t, w.Run())
				drop, before := w.Drop(everything), w.Client.Counters()
				w.Inject(Server, resetLike(t, w.Packets()[1], checksums))
				must(t, w.Run())
				if _, err := unix.Read(all.clients[0], w.buffer); !errors.Is(err, want.err) {
					t.Errorf("the client read %v, want %v", err, want.err)
				}
				moved := w.Client.Counters().Since(before).Only("InSegs", "InErrs", "InCsumErrors", "EstabResets").String()
				if moved != want.counters || drop.Count() != 0 {
					t.Errorf("the client counted %s and the rule %d, want %s and 0", moved, drop.Count(), want.counters)
				}
				checkTravels(t, w, "client S 0s [50ms]", "server S. 50ms [100ms]", "client . 100ms [150ms]", "server R 150ms [200ms]")
				for n, p := range w.Packets() {
					if p.Injected != (n == 3) {
						t.Errorf("packet %d is injected: %v, want that of the last one only: %v", n, p.Injected, p)
					}
				}
			})
		}
	}
}

// resetLike is a RST from the sender of a SYN-ACK, in the place where its next segment
// would stand.
func resetLike(t *testing.T, synAck *Packet, checksums bool) []byte {
	t.Helper()
	s, _ := synAck.Segment()
	tcp := &layers.TCP{
		SrcPort: layers.TCPPort(s.Source.Port()), DstPort: layers.TCPPort(s.Target.Port()), Seq: s.Seq + 1, RST: true,
	}
	var ip interface {
		gopacket.NetworkLayer
		gopacket.SerializableLayer
	} = &layers.IPv4{
		Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: s.Source.Addr().AsSlice(), DstIP: s.Target.Addr().AsSlice(),
	}
	if s.Source.Addr().Is6() {
		ip = &layers.IPv6{
			Version: 6, HopLimit: 64, NextHeader: layers.IPProtocolTCP, SrcIP: s.Source.Addr().AsSlice(), DstIP: s.Target.Addr().AsSlice(),
		}
	}
	must(t, tcp.SetNetworkLayerForChecksum(ip))
	buffer := gopacket.NewSerializeBuffer()
	must(t, gopacket.SerializeLayers(buffer, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ip, tcp))
	data := buffer.Bytes()
	if !checksums {
		data[len(data)-4] ^= 0xff // the upper byte of the TCP checksum
	}
	return data
}
