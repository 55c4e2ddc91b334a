package scenario

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
)

// Flags are those of a TCP header.
type Flags uint8

// The flags of a TCP header, RFC 9293, section 3.1.
const (
	FIN Flags = 1 << iota
	SYN
	RST
	PSH
	ACK
)

// String is in tcpdump's manner: "S." is SYN and ACK, "." an ACK alone.
func (f Flags) String() string {
	var s strings.Builder
	for i, c := range "FSRP." {
		if f&(1<<i) != 0 {
			s.WriteRune(c)
		}
	}
	return s.String()
}

// Segment is the TCP segment of an IP packet.
type Segment struct {
	Source, Target netip.AddrPort
	Seq, Ack       uint32
	Flags          Flags
	Window         uint16 // as it stands in the header, not scaled
	Header         int    // bytes of the TCP header, by its own word: more than 20 with options
	Options        string // the bytes of the TCP options, as far as they were captured
	Payload        int    // bytes, by the length in the IP header: also those that were cut off
	IPID           int    // the identification of IPv4; -1 for IPv6, which has none
}

// ProtocolTCP is TCP's number in an IP header, RFC 9293, section 3.1.
const ProtocolTCP = 6

// tcpHeader is the length of a TCP header without options.
const tcpHeader = 20

// ReadSegment reads an IP packet, from the IP header on. It is false if that is no TCP
// segment, or cut before the end of its fixed header, or a later fragment, or behind
// IPv6 extension headers.
func ReadSegment(data []byte) (Segment, bool) {
	var source, target netip.Addr
	var tcp []byte
	var length int // of the TCP segment
	id := -1
	switch {
	case len(data) >= 20 && data[0]>>4 == 4 && data[0]&15 >= 5 && data[9] == ProtocolTCP && binary.BigEndian.Uint16(data[6:])&0x1fff == 0:
		header := int(data[0]&15) * 4
		source, target = netip.AddrFrom4([4]byte(data[12:])), netip.AddrFrom4([4]byte(data[16:]))
		tcp, length = data[min(header, len(data)):], int(binary.BigEndian.Uint16(data[2:]))-header
		id = int(binary.BigEndian.Uint16(data[4:]))
	case len(data) >= 40 && data[0]>>4 == 6 && data[6] == ProtocolTCP:
		source, target = netip.AddrFrom16([16]byte(data[8:])), netip.AddrFrom16([16]byte(data[24:]))
		tcp, length = data[40:], int(binary.BigEndian.Uint16(data[4:]))
	}
	if len(tcp) < tcpHeader || tcp[12]>>4 < tcpHeader/4 { // in words of four bytes
		return Segment{}, false
	}
	header := int(tcp[12]>>4) * 4
	return Segment{
		Source:  netip.AddrPortFrom(source, binary.BigEndian.Uint16(tcp)),
		Target:  netip.AddrPortFrom(target, binary.BigEndian.Uint16(tcp[2:])),
		Seq:     binary.BigEndian.Uint32(tcp[4:]),
		Ack:     binary.BigEndian.Uint32(tcp[8:]),
		Flags:   Flags(tcp[13]),
		Window:  binary.BigEndian.Uint16(tcp[14:]),
		Header:  header,
		Options: string(tcp[tcpHeader:min(header, len(tcp))]),
		Payload: max(0, length-header),
		IPID:    id,
	}, true
}

// Has tells whether all these flags are set.
func (s Segment) Has(f Flags) bool { return s.Flags&f == f }

// String is one line, as tcpdump would print it.
func (s Segment) String() string {
	return fmt.Sprintf("%v > %v [%v] seq %d ack %d length %d", s.Source, s.Target, s.Flags, s.Seq, s.Ack, s.Payload)
}
