package wire

import (
	"encoding/hex"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// Packets that Linux 6.18 sent over a wire.
const (
	recordedSYN  = "4500003c8ff7400040061e9dc6120001c6120002b77c04016633d63a00000000a002faf079b50000020405b40402080a01254e210000000001030307"
	recordedACK  = "450000348ff8400040061ea4c6120001c6120002b77c04016633d63bef474af3801001f6cbfe00000101080a01254e21c360d7d1"
	recordedData = "450000358ff9400040061ea2c6120001c6120002b77c04016633d63bef474af3801801f653f500000101080a01254e21c360d7d178"
)

func unhex(tb testing.TB, text string) []byte {
	tb.Helper()
	data, err := hex.DecodeString(text)
	must(tb, err)
	return data
}

func TestPacket(t *testing.T) {
	for _, c := range []struct {
		data  string
		flags scenario.Flags
		text  string
	}{
		{recordedSYN, scenario.SYN, "50ms 198.18.0.1:46972 > 198.18.0.2:1025 [S] seq 1714673210 ack 0 length 0"},
		{recordedData, scenario.ACK, "50ms 198.18.0.1:46972 > 198.18.0.2:1025 [P.] seq 1714673211 ack 4014426867 length 1"},
	} {
		p := &Packet{Sent: 50 * time.Millisecond, Data: unhex(t, c.data)}
		if got := p.String(); got != c.text {
			t.Errorf("packet is %q, want %q", got, c.text)
		}
		if !p.Is(c.flags) || !p.Is(c.flags|scenario.PSH) || p.Is(scenario.SYN|scenario.ACK) {
			t.Errorf("packet %v passes for other flags than [%v]", p, c.flags)
		}
	}
}

func TestPacketWithoutSegment(t *testing.T) {
	p := &Packet{Sent: time.Second, From: Server, Data: unhex(t, "4500001c00004000401100000000000000000000000000000008ffff")}
	if want := "1s server: 28 bytes that are not TCP"; p.String() != want {
		t.Errorf("packet is %q, want %q", p, want)
	}
	if p.Is(0) || p.Is(scenario.ACK) {
		t.Errorf("%v passes for TCP", p)
	}
}

func TestIs(t *testing.T) {
	all := []scenario.Flags{0, scenario.SYN, scenario.SYN | scenario.ACK, scenario.ACK, scenario.RST, scenario.RST | scenario.ACK, scenario.FIN | scenario.ACK}
	for _, has := range all {
		for _, push := range []scenario.Flags{0, scenario.PSH} {
			p := &Packet{Data: unhex(t, recordedSYN)}
			p.Data[20+13] = byte(has | push)
			for _, asked := range all {
				if p.Is(asked) != (has == asked) || p.Is(asked|scenario.PSH) != (has == asked) {
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

func FuzzPacket(f *testing.F) {
	f.Add(unhex(f, recordedSYN))
	f.Add(unhex(f, recordedData))
	f.Fuzz(func(t *testing.T, data []byte) {
		p := &Packet{Data: data}
		isMulticast(data)
		s, ok := p.Segment()
		if p.String() == "" || ok && !p.Is(s.Flags) {
			t.Errorf("packet %x is %v", data, p)
		}
	})
}
