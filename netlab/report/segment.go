package report

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// The flags of a TCP header, RFC 9293, section 3.1.
const (
	flagFIN = 1 << iota
	flagSYN
	flagRST
	flagPSH
	flagACK
)

const protocolTCP = 6

// segment is a TCP segment in a capture.
type segment struct {
	At             time.Duration
	Source, Target netip.AddrPort
	Seq, Ack       uint32
	Flags          uint8
	Payload        int    // bytes
	Window         uint16 // as it stands in the header
	IPID           int    // of IPv4; -1: IPv6
	Options        bool   // there are some
	same           string // equal for the same segment in two captures: sequence numbers, flags, window and options
}

// readSegment reads the headers of a packet; false if it is no TCP segment, or cut
// before its ports and flags, or a later fragment, or behind IPv6 extension headers.
func readSegment(p scenario.Packet) (segment, bool) {
	s := segment{At: p.At, IPID: -1}
	var source, target netip.Addr
	var tcp []byte
	length := p.Length
	switch d := p.Data; {
	case len(d) >= 20 && d[0]>>4 == 4 && d[9] == protocolTCP && binary.BigEndian.Uint16(d[6:])&0x1fff == 0:
		header := int(d[0]&15) * 4
		source, target = netip.AddrFrom4([4]byte(d[12:])), netip.AddrFrom4([4]byte(d[16:]))
		s.IPID, tcp = int(binary.BigEndian.Uint16(d[4:])), d[min(header, len(d)):]
		length = int(binary.BigEndian.Uint16(d[2:])) - header
	case len(d) >= 40 && d[0]>>4 == 6 && d[6] == protocolTCP:
		source, target = netip.AddrFrom16([16]byte(d[8:])), netip.AddrFrom16([16]byte(d[24:]))
		tcp, length = d[40:], int(binary.BigEndian.Uint16(d[4:]))
	}
	if len(tcp) < 20 {
		return segment{}, false
	}
	offset := int(tcp[12]>>4) * 4
	s.Source = netip.AddrPortFrom(source.Unmap(), binary.BigEndian.Uint16(tcp))
	s.Target = netip.AddrPortFrom(target.Unmap(), binary.BigEndian.Uint16(tcp[2:]))
	s.Seq, s.Ack = binary.BigEndian.Uint32(tcp[4:]), binary.BigEndian.Uint32(tcp[8:])
	s.Flags, s.Window = tcp[13], binary.BigEndian.Uint16(tcp[14:])
	s.Payload, s.Options = max(0, length-offset), offset > 20
	s.same = string(tcp[4:16]) + string(tcp[20:min(max(offset, 20), len(tcp))])
	return s, true
}

func (s segment) has(flag uint8) bool { return s.Flags&flag != 0 }

// length is how many sequence numbers the segment takes: those of its bytes, and one
// each for SYN and FIN.
func (s segment) length() int {
	n := s.Payload
	if s.has(flagSYN) {
		n++
	}
	if s.has(flagFIN) {
		n++
	}
	return n
}

// name is the segment in words.
func (s segment) name() string {
	var parts []string
	switch {
	case s.has(flagRST):
		parts = append(parts, "RST"+s.fingerprint())
	case s.has(flagSYN) && s.has(flagACK):
		parts = append(parts, "SYN-ACK")
	case s.has(flagSYN):
		parts = append(parts, "SYN")
	}
	if s.has(flagFIN) {
		parts = append(parts, "FIN")
	}
	if s.Payload > 0 {
		parts = append(parts, "data, "+plural(s.Payload, "byte"))
	}
	if len(parts) == 0 {
		return "ACK"
	}
	return strings.Join(parts, " + ")
}

// fingerprint is what tells who sent a RST: a kernel that answers a stray segment, or
// a socket that was aborted.
func (s segment) fingerprint() string {
	with := []string{", no ACK bit", ", no options"}
	if s.has(flagACK) {
		with[0] = " with ACK"
	}
	if s.Options {
		with[1] = ", options"
	}
	if s.Window == 0 {
		with = append(with, ", window 0")
	} else {
		with = append(with, ", a window")
	}
	if s.IPID == 0 {
		with = append(with, ", IP ID 0")
	}
	return strings.Join(with, "")
}
