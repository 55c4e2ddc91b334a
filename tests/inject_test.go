package tests

import (
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/rstlab/rstlab/netlab/wire"
)

// resetFor is a RST as a middlebox would make it: with the server's addresses, the
// sequence number that the client expects, and a hop limit of its own.
func resetFor(t *testing.T, p *wire.Packet) []byte {
	t.Helper()
	seg, ok := p.Segment()
	if !ok {
		t.Fatalf("not a TCP segment: %v", p)
	}
	ip := &layers.IPv4{Version: 4, IHL: 5, TTL: 37, Protocol: layers.IPProtocolTCP, SrcIP: seg.Target.Addr().AsSlice(), DstIP: seg.Source.Addr().AsSlice()}
	tcp := &layers.TCP{SrcPort: layers.TCPPort(seg.Target.Port()), DstPort: layers.TCPPort(seg.Source.Port()), Seq: seg.Ack, RST: true}
	fatal(t, tcp.SetNetworkLayerForChecksum(ip))
	buffer := gopacket.NewSerializeBuffer()
	fatal(t, gopacket.SerializeLayers(buffer, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ip, tcp))
	return buffer.Bytes()
}
