package diagnose

import (
	"net/netip"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// segment is one TCP segment as one host saw it.
type segment struct {
	at         time.Duration
	number     int // of the packet at the host, from 1
	fromClient bool
	flags      scenario.Flags
	seq, ack   uint32
	length     int // payload in bytes
	ttl        uint8
	id         uint16 // of the IPv4 header
	options    bool   // the TCP header has some
	text       string // the first bytes of the payload, for telling HTTP
}

func (s segment) has(f scenario.Flags) bool { return s.flags&f == f }

// pure is an ACK that carries nothing.
func (s segment) pure() bool { return s.flags&^scenario.PSH == scenario.ACK && s.length == 0 }

// token is the segment in a shape: who sent it and its flags.
func (s segment) token() string {
	if s.fromClient {
		return ">" + s.flags.String()
	}
	return "<" + s.flags.String()
}

// ends are the two ends of a segment.
type ends struct{ source, target netip.AddrPort }

// unreachable is an ICMP error about a segment.
type unreachable struct {
	at     time.Duration
	number int
	about  ends // of the segment that it quotes
	what   string
}

// decoder reads packets with gopacket. It is used again and again, since a capture may
// have millions.
type decoder struct {
	ip4     layers.IPv4
	ip6     layers.IPv6
	tcp     layers.TCP
	icmp4   layers.ICMPv4
	icmp6   layers.ICMPv6
	payload gopacket.Payload
	v4, v6  *gopacket.DecodingLayerParser
	decoded []gopacket.LayerType
	fixed   [tcpHeader]byte // of a header whose options are cut off
	read    segment         // the latest
}

// tcpHeader is the length of a TCP header without options.
const tcpHeader = 20

func newDecoder() *decoder {
	d := &decoder{}
	all := []gopacket.DecodingLayer{&d.ip4, &d.ip6, &d.tcp, &d.icmp4, &d.icmp6, &d.payload}
	d.v4 = gopacket.NewDecodingLayerParser(layers.LayerTypeIPv4, all...)
	d.v6 = gopacket.NewDecodingLayerParser(layers.LayerTypeIPv6, all...)
	d.v4.IgnoreUnsupported, d.v6.IgnoreUnsupported = true, true
	return d
}

// maxText is how much of a payload is kept.
const maxText = 8

// decode reads one packet: a segment with its ends, which is valid until the next one, or
// an ICMP error. Anything else, and what is too short or broken, is neither.
func (d *decoder) decode(p scenario.Packet, number int) (s *segment, e ends, u *unreachable) {
	if len(p.Data) == 0 {
		return nil, e, nil
	}
	parser := d.v4
	if p.Data[0]>>4 == 6 {
		parser = d.v6
	}
	// An error means that a layer is cut off; those before it are decoded.
	_ = parser.DecodeLayers(p.Data, &d.decoded)
	var source, target netip.Addr
	for _, layer := range d.decoded {
		switch layer {
		case layers.LayerTypeIPv4:
			source, target = address(d.ip4.SrcIP), address(d.ip4.DstIP)
		case layers.LayerTypeIPv6:
			source, target = address(d.ip6.SrcIP), address(d.ip6.DstIP)
		case layers.LayerTypeTCP:
			return d.segment(p, number, len(d.tcp.Contents)), d.ends(source, target), nil
		case layers.LayerTypeICMPv4:
			return nil, e, d.unreachable4(p.At, number)
		case layers.LayerTypeICMPv6:
			return nil, e, d.unreachable6(p.At, number)
		}
	}
	if header := d.cutOptions(); header > 0 {
		return d.segment(p, number, header), d.ends(source, target), nil
	}
	return nil, e, nil
}

// ends are those of the TCP segment that was decoded.
func (d *decoder) ends(source, target netip.Addr) ends {
	return ends{netip.AddrPortFrom(source, uint16(d.tcp.SrcPort)), netip.AddrPortFrom(target, uint16(d.tcp.DstPort))}
}

// cutOptions decodes a TCP header that is cut off within its options, which gopacket does
// not, and gives its whole length; zero if there is none.
func (d *decoder) cutOptions() int {
	var tcp []byte
	switch {
	case len(d.decoded) != 1:
		return 0
	case d.decoded[0] == layers.LayerTypeIPv4 && d.ip4.NextLayerType() == layers.LayerTypeTCP:
		tcp = d.ip4.Payload
	case d.decoded[0] == layers.LayerTypeIPv6 && d.ip6.NextHeader == layers.IPProtocolTCP:
		tcp = d.ip6.Payload
	}
	if copy(d.fixed[:], tcp) < tcpHeader {
		return 0
	}
	header := int(d.fixed[12]>>4) * 4
	d.fixed[12] = tcpHeader/4<<4 | d.fixed[12]&15
	if header <= tcpHeader || d.tcp.DecodeFromBytes(d.fixed[:], gopacket.NilDecodeFeedback) != nil {
		return 0
	}
	return header
}

func address(ip []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a
}

func (d *decoder) segment(p scenario.Packet, number, header int) *segment {
	s := &d.read
	*s = segment{
		at: p.At, number: number, seq: d.tcp.Seq, ack: d.tcp.Ack,
		options: header > tcpHeader, ttl: d.ip4.TTL, id: d.ip4.Id,
		length: int(d.ip4.Length) - len(d.ip4.Contents) - header,
	}
	if p.Data[0]>>4 == 6 {
		s.ttl, s.id, s.length = d.ip6.HopLimit, 0, int(d.ip6.Length)-header
	}
	s.length = max(0, s.length)
	for _, f := range []struct {
		set  bool
		flag scenario.Flags
	}{{d.tcp.FIN, scenario.FIN}, {d.tcp.SYN, scenario.SYN}, {d.tcp.RST, scenario.RST}, {d.tcp.PSH, scenario.PSH}, {d.tcp.ACK, scenario.ACK}} {
		if f.set {
			s.flags |= f.flag
		}
	}
	s.text = string(d.tcp.Payload[:min(maxText, len(d.tcp.Payload))])
	return s
}

// unreachable4 reads the segment that an ICMP error quotes: its IP header and the first
// eight bytes after it.
func (d *decoder) unreachable4(at time.Duration, number int) *unreachable {
	if d.icmp4.TypeCode.Type() != layers.ICMPv4TypeDestinationUnreachable || d.icmp4.TypeCode.Code() == layers.ICMPv4CodeFragmentationNeeded {
		return nil // the latter is how TCP learns the size of the path
	}
	quoted := d.icmp4.Payload
	if len(quoted) < 20 || quoted[9] != byte(layers.IPProtocolTCP) {
		return nil
	}
	header := int(quoted[0]&15) * 4
	if header < 20 || len(quoted) < header+4 {
		return nil
	}
	return &unreachable{at, number, quotedEnds(quoted[12:16], quoted[16:20], quoted[header:]), d.icmp4.TypeCode.String()}
}

// unreachable6 does the same for ICMPv6, which has four bytes more before the quote.
func (d *decoder) unreachable6(at time.Duration, number int) *unreachable {
	if d.icmp6.TypeCode.Type() != layers.ICMPv6TypeDestinationUnreachable || len(d.icmp6.Payload) < 4 {
		return nil
	}
	quoted := d.icmp6.Payload[4:]
	if len(quoted) < 44 || quoted[6] != byte(layers.IPProtocolTCP) {
		return nil
	}
	return &unreachable{at, number, quotedEnds(quoted[8:24], quoted[24:40], quoted[40:]), d.icmp6.TypeCode.String()}
}

func quotedEnds(source, target, tcp []byte) ends {
	port := func(b []byte) uint16 { return uint16(b[0])<<8 | uint16(b[1]) }
	return ends{netip.AddrPortFrom(address(source), port(tcp)), netip.AddrPortFrom(address(target), port(tcp[2:]))}
}
