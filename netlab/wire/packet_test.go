package wire

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"testing"
	"time"
)

// Packets that Linux 6.18 sent over a wire, and one by one what stands in them.
var recorded = []struct {
	data    string
	segment Segment
	text    string
}{
	{
		"4500003c8ff7400040061e9dc6120001c6120002b77c04016633d63a00000000a002faf079b50000020405b40402080a01254e210000000001030307",
		Segment{Source: client4, Target: server4, Seq: 1714673210, Flags: SYN},
		"50ms 198.18.0.1:46972 > 198.18.0.2:1025 [S] seq 1714673210 ack 0 length 0",
	},
	{
		"4500003c000040004006ae94c6120002c61200010401b77cef474af26633d63ba012fe88a09f0000020405b40402080ac360d7d101254e2101030307",
		Segment{Source: server4, Target: client4, Seq: 4014426866, Ack: 1714673211, Flags: SYN | ACK},
		"50ms 198.18.0.2:1025 > 198.18.0.1:46972 [S.] seq 4014426866 ack 1714673211 length 0",
	},
	{
		"450000348ff8400040061ea4c6120001c6120002b77c04016633d63bef474af3801001f6cbfe00000101080a01254e21c360d7d1",
		Segment{Source: client4, Target: server4, Seq: 1714673211, Ack: 4014426867, Flags: ACK},
		"50ms 198.18.0.1:46972 > 198.18.0.2:1025 [.] seq 1714673211 ack 4014426867 length 0",
	},
	{
		"450000358ff9400040061ea2c6120001c6120002b77c04016633d63bef474af3801801f653f500000101080a01254e21c360d7d178",
		Segment{Source: client4, Target: server4, Seq: 1714673211, Ack: 4014426867, Flags: PSH | ACK, Payload: 1},
		"50ms 198.18.0.1:46972 > 198.18.0.2:1025 [P.] seq 1714673211 ack 4014426867 length 1",
	},
	{
		"60015ea00028064020010002000000000000000000000002200100020000000000000000000000010401bcf02bb7a762a97eed5ca012fb0443b10000020405a00402080a56a81f60126015f601030307",
		Segment{Source: server6, Target: client6, Seq: 733456226, Ack: 2843667804, Flags: SYN | ACK},
		"50ms [2001:2::2]:1025 > [2001:2::1]:48368 [S.] seq 733456226 ack 2843667804 length 0",
	},
	{
		"600ec985002106402001000200000000000000000000000120010002000000000000000000000002bcf00401a97eed5c2bb7a763801801fbf36900000101080a126015f656a81f6078",
		Segment{Source: client6, Target: server6, Seq: 2843667804, Ack: 733456227, Flags: PSH | ACK, Payload: 1},
		"50ms [2001:2::1]:48368 > [2001:2::2]:1025 [P.] seq 2843667804 ack 733456227 length 1",
	},
}

var (
	client4, server4 = netip.MustParseAddrPort("198.18.0.1:46972"), netip.MustParseAddrPort("198.18.0.2:1025")
	client6, server6 = netip.MustParseAddrPort("[2001:2::1]:48368"), netip.MustParseAddrPort("[2001:2::2]:1025")
)

// notTCP are packets without a whole TCP header, and what is no IP packet at all.
var notTCP = []string{
	"",
	"45",
	"4500001c00004000401100000000000000000000000000000008ffff",                                                        // UDP
	"450000140000400040060000c6120001c6120002",                                                                        // an IPv4 header and nothing behind it
	"450000270000400040060000c6120001c6120002b77c04016633d63a00000000a002faf079b500",                                  // a byte less than a TCP header
	"4f0000280000400040060000c6120001c6120002b77c04016633d63a00000000a002faf079b50000",                                // options up to the end
	"41303030303030303006303030303030303030303030303030303030303030303030303030303030",                                // an IPv4 header of four bytes
	"450000280000400040060000c6120001c6120002b77c04016633d63a000000004002faf079b50000",                                // a TCP header of 16 bytes
	"600000000008" + "3a40" + "2001000200000000000000000000000120010002000000000000000000000002" + "8000000000000000", // ICMPv6
	"600000000000" + "0640" + "20010002000000000000000000000001200100020000000000000000000000",                        // half an IPv6 header
	"7500003c8ff7400040061e9dc6120001c6120002b77c04016633d63a00000000a002faf079b50000",                                // version 7
}

const longHeader = "450000280000400040060000c6120001c6120002b77c04016633d63a00000000f002faf079b50000"

func unhex(tb testing.TB, text string) []byte {
	tb.Helper()
	data, err := hex.DecodeString(text)
	must(tb, err)
	return data
}

func TestSegment(t *testing.T) {
	for _, c := range recorded {
		p := &Packet{Sent: 50 * time.Millisecond, Data: unhex(t, c.data)}
		if got, ok := p.Segment(); got != c.segment || !ok {
			t.Errorf("segment of %s is %+v, %v; want %+v", c.data, got, ok, c.segment)
		}
		if got := p.String(); got != c.text {
			t.Errorf("packet is %q, want %q", got, c.text)
		}
	}
}

// A header that claims to be longer than its segment leaves no payload.
func TestSegmentWithALongHeader(t *testing.T) {
	p := &Packet{Data: unhex(t, longHeader)}
	if s, ok := p.Segment(); !ok || s.Payload != 0 || s.Flags != SYN {
		t.Errorf("segment is %+v, %v; want a SYN without payload", s, ok)
	}
}

func TestSegmentOfOtherPackets(t *testing.T) {
	for _, text := range notTCP {
		p := &Packet{Sent: time.Second, From: Server, Data: unhex(t, text)}
		if got, ok := p.Segment(); ok || got != (Segment{}) {
			t.Errorf("segment of %s is %+v, %v; want none", text, got, ok)
		}
		if want := fmt.Sprintf("1s server: %d bytes that are not TCP", len(p.Data)); p.String() != want {
			t.Errorf("packet is %q, want %q", p, want)
		}
		if p.Is(0) || p.Is(ACK) {
			t.Errorf("%s passes for TCP", text)
		}
	}
}

// Flags that are not ours, such as ECE, are no letters.
func TestFlagsInWords(t *testing.T) {
	for flags, want := range map[Flags]string{
		0: "", SYN: "S", SYN | ACK: "S.", ACK: ".", PSH | ACK: "P.", RST: "R", RST | ACK: "R.", FIN | PSH | ACK: "FP.", 0xff: "FSRP.", 0xe0: "",
	} {
		if got := flags.String(); got != want {
			t.Errorf("Flags(%#x) is %q, want %q", uint8(flags), got, want)
		}
	}
}

func TestIs(t *testing.T) {
	all := []Flags{0, SYN, SYN | ACK, ACK, RST, RST | ACK, FIN | ACK}
	for _, has := range all {
		for _, push := range []Flags{0, PSH} {
			p := &Packet{Data: unhex(t, recorded[0].data)}
			p.Data[20+13] = byte(has | push)
			for _, asked := range all {
				if p.Is(asked) != (has == asked) || p.Is(asked|PSH) != (has == asked) {
					t.Errorf("a packet with [%v]: Is(%v) = %v, want %v", has|push, asked, p.Is(asked), has == asked)
				}
			}
		}
	}
}

func TestIsMulticast(t *testing.T) {
	for text, want := range map[string]bool{
		"":                                 false,
		"450000000000000000000000c6120001": false, // no target
		"450000000000000000000000c6120001e0000016":                                              true,  // 224.0.0.22
		"450000000000000000000000c6120001efffffff":                                              true,  // 239.255.255.255
		"450000000000000000000000c6120001c6120002":                                              false, // 198.18.0.2
		"450000000000000000000000c6120001ffffffff":                                              false, // broadcast
		"60000000000000002001000200000000000000000000000" + "1ff020000000000000000000000000016": true,  // ff02::16
		"60000000000000002001000200000000000000000000000" + "120010002000000000000000000000002": false,
	} {
		if got := isMulticast(unhex(t, text)); got != want {
			t.Errorf("isMulticast(%s) = %v, want %v", text, got, want)
		}
	}
}

// Every packet keeps its bytes when others follow, over many chunks and when the arena
// is used again.
func TestArenaKeepsPacketsApart(t *testing.T) {
	var a arena
	for round := range 2 {
		a.used = 0
		chunks := len(a.chunks)
		var packets [][]byte
		for i := range 300 {
			data := make([]byte, 1<<10*(i%7)+i)
			for j := range data {
				data[j] = byte(i)
			}
			packets = append(packets, a.copy(data))
		}
		for i, p := range packets {
			if len(p) != 1<<10*(i%7)+i || cap(p) != len(p) {
				t.Errorf("packet %d has %d bytes and room for %d, want both %d", i, len(p), cap(p), 1<<10*(i%7)+i)
			}
			for _, b := range p {
				if b != byte(i) {
					t.Fatalf("packet %d holds a byte of packet %d", i, b)
				}
			}
		}
		if round == 1 && len(a.chunks) != chunks {
			t.Errorf("used again, the arena has %d chunks, want %d", len(a.chunks), chunks)
		}
	}
}

func FuzzSegment(f *testing.F) {
	for _, c := range recorded {
		f.Add(unhex(f, c.data))
	}
	for _, text := range notTCP {
		f.Add(unhex(f, text))
	}
	f.Add(unhex(f, longHeader))
	f.Fuzz(func(t *testing.T, data []byte) {
		p := &Packet{Data: data}
		isMulticast(data)
		if p.String() == "" {
			t.Errorf("packet %x is no words", data)
		}
		s, ok := p.Segment()
		if !ok {
			return
		}
		if !p.Is(s.Flags) || s.Source.Addr().Is4() != s.Target.Addr().Is4() || s.Payload < 0 || s.Payload > len(data)-40 {
			t.Errorf("packet %x is %v", data, p)
		}
	})
}
