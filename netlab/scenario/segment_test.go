package scenario

import (
	"encoding/hex"
	"net/netip"
	"testing"
)

// Packets that Linux 6.18 sent over a wire, and one by one what stands in them; their
// options in hexadecimal.
var recorded = []struct {
	data    string
	segment Segment
	text    string
}{
	{
		"4500003c8ff7400040061e9dc6120001c6120002b77c04016633d63a00000000a002faf079b50000020405b40402080a01254e210000000001030307",
		Segment{Source: client4, Target: server4, Seq: 1714673210, Flags: SYN, Window: 64240, Header: 40, Options: "020405b40402080a01254e210000000001030307", IPID: 36855},
		"198.18.0.1:46972 > 198.18.0.2:1025 [S] seq 1714673210 ack 0 length 0",
	},
	{
		"4500003c000040004006ae94c6120002c61200010401b77cef474af26633d63ba012fe88a09f0000020405b40402080ac360d7d101254e2101030307",
		Segment{Source: server4, Target: client4, Seq: 4014426866, Ack: 1714673211, Flags: SYN | ACK, Window: 65160, Header: 40, Options: "020405b40402080ac360d7d101254e2101030307", IPID: 0},
		"198.18.0.2:1025 > 198.18.0.1:46972 [S.] seq 4014426866 ack 1714673211 length 0",
	},
	{
		"450000348ff8400040061ea4c6120001c6120002b77c04016633d63bef474af3801001f6cbfe00000101080a01254e21c360d7d1",
		Segment{Source: client4, Target: server4, Seq: 1714673211, Ack: 4014426867, Flags: ACK, Window: 502, Header: 32, Options: "0101080a01254e21c360d7d1", IPID: 36856},
		"198.18.0.1:46972 > 198.18.0.2:1025 [.] seq 1714673211 ack 4014426867 length 0",
	},
	{
		"450000358ff9400040061ea2c6120001c6120002b77c04016633d63bef474af3801801f653f500000101080a01254e21c360d7d178",
		Segment{Source: client4, Target: server4, Seq: 1714673211, Ack: 4014426867, Flags: PSH | ACK, Payload: 1, Window: 502, Header: 32, Options: "0101080a01254e21c360d7d1", IPID: 36857},
		"198.18.0.1:46972 > 198.18.0.2:1025 [P.] seq 1714673211 ack 4014426867 length 1",
	},
	{
		"60015ea00028064020010002000000000000000000000002200100020000000000000000000000010401bcf02bb7a762a97eed5ca012fb0443b10000020405a00402080a56a81f60126015f601030307",
		Segment{Source: server6, Target: client6, Seq: 733456226, Ack: 2843667804, Flags: SYN | ACK, Window: 64260, Header: 40, Options: "020405a00402080a56a81f60126015f601030307", IPID: -1},
		"[2001:2::2]:1025 > [2001:2::1]:48368 [S.] seq 733456226 ack 2843667804 length 0",
	},
	{
		"600ec985002106402001000200000000000000000000000120010002000000000000000000000002bcf00401a97eed5c2bb7a763801801fbf36900000101080a126015f656a81f6078",
		Segment{Source: client6, Target: server6, Seq: 2843667804, Ack: 733456227, Flags: PSH | ACK, Payload: 1, Window: 507, Header: 32, Options: "0101080a126015f656a81f60", IPID: -1},
		"[2001:2::1]:48368 > [2001:2::2]:1025 [P.] seq 2843667804 ack 733456227 length 1",
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
	"4500003c8ff7400140061e9dc6120001c6120002b77c04016633d63a00000000a002faf079b50000",                                // a later fragment
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
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func TestReadSegment(t *testing.T) {
	for _, c := range recorded {
		got, ok := ReadSegment(unhex(t, c.data))
		got.Options = hex.EncodeToString([]byte(got.Options))
		if got != c.segment || !ok {
			t.Errorf("segment of %s is %+v, %v; want %+v", c.data, got, ok, c.segment)
		}
		if got.String() != c.text {
			t.Errorf("segment is %q, want %q", got, c.text)
		}
	}
}

// What a capture cut off is still counted by the IP header, and options are as they came.
func TestReadSegmentCut(t *testing.T) {
	data := unhex(t, recorded[3].data)
	whole, _ := ReadSegment(data)
	cut, ok := ReadSegment(data[:44])
	if whole.Options = whole.Options[:4]; cut != whole || !ok {
		t.Errorf("segment is %+v, %v; want %+v", cut, ok, whole)
	}
}

// A header that claims to be longer than its segment leaves no payload.
func TestReadSegmentWithALongHeader(t *testing.T) {
	if s, ok := ReadSegment(unhex(t, longHeader)); !ok || s.Payload != 0 || s.Flags != SYN || s.Options != "" {
		t.Errorf("segment is %+v, %v; want a SYN without payload and options", s, ok)
	}
}

func TestReadSegmentOfOtherPackets(t *testing.T) {
	for _, text := range notTCP {
		if got, ok := ReadSegment(unhex(t, text)); ok || got != (Segment{}) {
			t.Errorf("segment of %s is %+v, %v; want none", text, got, ok)
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

func FuzzReadSegment(f *testing.F) {
	for _, c := range recorded {
		f.Add(unhex(f, c.data))
	}
	for _, text := range notTCP {
		f.Add(unhex(f, text))
	}
	f.Add(unhex(f, longHeader))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, ok := ReadSegment(data)
		if !ok {
			return
		}
		if !s.Has(s.Flags) || s.Source.Addr().Is4() != s.Target.Addr().Is4() || s.Source.Addr().Is4() != (s.IPID >= 0) ||
			s.Payload < 0 || s.Payload > 1<<16 || len(s.Options) > 40 {
			t.Errorf("packet %x is %+v", data, s)
		}
	})
}
