package wire

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Packet is one IP packet that a host sent.
type Packet struct {
	Sent    time.Duration   // when its host sent it
	Arrived []time.Duration // when it was delivered; empty if it was not, several if it was duplicated
	From    Side            // which host sent it, or Inject pretended
	Data    []byte          // from the IP header on; not to be changed

	Injected bool // it never crossed its host's interface
}

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

// Segment is the TCP segment of a packet.
type Segment struct {
	Source, Target netip.AddrPort
	Seq, Ack       uint32
	Flags          Flags
	Payload        int // bytes
}

// Segment reads the TCP header; false if the packet has none.
func (p *Packet) Segment() (Segment, bool) {
	source, target, tcp, ok := transport(p.Data)
	if !ok || len(tcp) < 20 || tcp[12]>>4 < 5 { // in words of four bytes
		return Segment{}, false
	}
	return Segment{
		Source: netip.AddrPortFrom(source, binary.BigEndian.Uint16(tcp)),
		Target: netip.AddrPortFrom(target, binary.BigEndian.Uint16(tcp[2:])),
		Seq:    binary.BigEndian.Uint32(tcp[4:]), Ack: binary.BigEndian.Uint32(tcp[8:]),
		Flags: Flags(tcp[13]), Payload: max(0, len(tcp)-int(tcp[12]>>4)*4),
	}, true
}

// Is tells whether the packet is a TCP segment with exactly these flags, the push flag
// aside.
func (p *Packet) Is(flags Flags) bool {
	s, ok := p.Segment()
	return ok && s.Flags&^PSH == flags&^PSH
}

// String is one line, as tcpdump would print it.
func (p *Packet) String() string {
	s, ok := p.Segment()
	if !ok {
		return fmt.Sprintf("%v %v: %d bytes that are not TCP", p.Sent, p.From, len(p.Data))
	}
	return fmt.Sprintf("%v %v > %v [%v] seq %d ack %d length %d", p.Sent, s.Source, s.Target, s.Flags, s.Seq, s.Ack, s.Payload)
}

const protocolTCP = 6

// transport finds the addresses and the TCP segment of an IP packet. The kernels at
// the ends send neither fragments nor IPv6 extension headers.
func transport(data []byte) (source, target netip.Addr, segment []byte, ok bool) {
	switch {
	case len(data) >= 20 && data[0]>>4 == 4 && data[0]&15 >= 5 && data[9] == protocolTCP:
		header := int(data[0]&15) * 4
		source, target = netip.AddrFrom4([4]byte(data[12:16])), netip.AddrFrom4([4]byte(data[16:20]))
		return source, target, data[min(header, len(data)):], true
	case len(data) >= 40 && data[0]>>4 == 6 && data[6] == protocolTCP:
		source, target = netip.AddrFrom16([16]byte(data[8:24])), netip.AddrFrom16([16]byte(data[24:40]))
		return source, target, data[40:], true
	}
	return netip.Addr{}, netip.Addr{}, nil, false
}

func isMulticast(data []byte) bool {
	switch {
	case len(data) >= 20 && data[0]>>4 == 4:
		return data[16]>>4 == 14
	case len(data) >= 40 && data[0]>>4 == 6:
		return data[24] == 0xff
	}
	return false
}

// arena keeps the bytes of packets together and is used again by the next run.
type arena struct {
	chunks [][]byte
	used   int // chunks
}

const arenaChunk = 1 << 18

func (a *arena) copy(data []byte) []byte {
	if a.used == 0 || cap(a.chunks[a.used-1])-len(a.chunks[a.used-1]) < len(data) {
		if a.used == len(a.chunks) {
			a.chunks = append(a.chunks, make([]byte, 0, arenaChunk))
		}
		a.used++
		a.chunks[a.used-1] = a.chunks[a.used-1][:0]
	}
	chunk := append(a.chunks[a.used-1], data...)
	a.chunks[a.used-1] = chunk
	return chunk[len(chunk)-len(data) : len(chunk) : len(chunk)]
}
