package main

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"

	"github.com/gopacket/gopacket/layers"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// cookedAs puts a header of a cooked capture before a packet; kind is 0 for one that
// came, 4 for one that left.
func cookedAs(kind byte, ip string) string {
	return "\x00" + string(rune(kind)) + "\x00\x01\x00\x06\x02\x00\x00\x00\x00\x01\x00\x00\x08\x00" + ip
}

var moved = &counters{before: scenario.Counters{}, after: scenario.Counters{"OutRsts": 1}}

// evidenceOf is a capture with counters.
func evidenceOf(t *testing.T, file []byte) ([]scenario.Witnessed, []string) {
	t.Helper()
	c, err := read(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return c.evidence(moved).Hosts, c.notes
}

// Whose the counters are, and where the capture is from.
func TestAttribute(t *testing.T) {
	client, server := netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.0.1")
	distant := rst4[:8] + "\x3c" + rst4[9:33] + "\x12" + rst4[34:] // a SYN-ACK from behind a router
	const to = "the counters are taken to be those of 10.0.0.1, to which most connections go"
	for _, c := range []struct {
		name  string
		file  []byte
		hosts []scenario.Witnessed // names, addresses, and one sample where the counters are
		note  string
	}{
		{"not known where", pcap(t, layers.LinkTypeRaw, syn4, rst4),
			[]scenario.Witnessed{{Host: "server", Addrs: []netip.Addr{server}, Counters: moved.around(0)}}, to + ", and the capture to be from there"},
		{"at the server", pcap(t, layers.LinkTypeLinuxSLL, cookedAs(0, syn4), cookedAs(4, rst4)),
			[]scenario.Witnessed{{Host: "server", Addrs: []netip.Addr{server}, Counters: moved.around(0)}}, to},
		{"at the client", pcap(t, layers.LinkTypeLinuxSLL, cookedAs(4, syn4), cookedAs(0, rst4)),
			[]scenario.Witnessed{{Host: "capture", Addrs: []netip.Addr{client}}, {Host: "server", Addrs: []netip.Addr{server}, Counters: moved.around(0)}}, to + "; it did not capture itself"},
		{"on a router", pcap(t, layers.LinkTypeLinuxSLL, cookedAs(0, syn4), cookedAs(4, syn4), cookedAs(0, rst4), cookedAs(4, rst4)),
			[]scenario.Witnessed{{Host: "server", Addrs: []netip.Addr{server}, Counters: moved.around(0)}}, to + ", and the capture to be from there"},
		{"behind a router", pcap(t, layers.LinkTypeRaw, syn4, distant),
			[]scenario.Witnessed{{Host: "capture"}, {Host: "server", Addrs: []netip.Addr{server}, Counters: moved.around(0)}}, to + "; it did not capture itself"},
		{"from the middle", pcap(t, layers.LinkTypeRaw, rst4),
			[]scenario.Witnessed{{Host: "server", Addrs: []netip.Addr{server}, Counters: moved.around(0)}}, to + ", and the capture to be from there"},
		{"of nothing", pcap(t, layers.LinkTypeRaw),
			[]scenario.Witnessed{{Host: "capture"}, {Host: "server", Counters: moved.around(0)}}, "the capture has no TCP segment that would tell whose the counters are"},
		{"both ends", pcapng(t, layers.LinkTypeRaw, layers.LinkTypeRaw),
			[]scenario.Witnessed{{Host: "first", Addrs: []netip.Addr{client}}, {Host: "next[31m", Addrs: []netip.Addr{server}, Counters: moved.around(0)}}, to},
	} {
		t.Run(c.name, func(t *testing.T) {
			hosts, notes := evidenceOf(t, c.file)
			same := slices.EqualFunc(hosts, c.hosts, func(a, b scenario.Witnessed) bool {
				return a.Host == b.Host && slices.Equal(a.Addrs, b.Addrs) && len(a.Counters) == len(b.Counters)
			})
			if !same || !slices.Contains(notes, c.note) {
				t.Errorf("the hosts are %+v and the notes %q, want %+v and %q", hosts, notes, c.hosts, c.note)
			}
		})
	}
}

// The readings stand around all packets.
func TestAround(t *testing.T) {
	got := moved.around(1000)
	if len(got) != 2 || got[0].At >= 0 || got[1].At <= 1000 || got[1].Counters["OutRsts"] != 1 {
		t.Errorf("around() = %+v, want a reading before 0 and one after 1000", got)
	}
}

// A host that talks to itself has both ends.
func TestOwnLoopback(t *testing.T) {
	e := newEnds()
	lo := netip.MustParseAddrPort("127.0.0.1:80")
	e.seen(glance{source: lo, target: lo}, in)
	if got := e.own(); !slices.Equal(got, []netip.Addr{lo.Addr()}) {
		t.Errorf("own() = %v, want %v", got, lo.Addr())
	}
}
