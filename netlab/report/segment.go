package report

import (
	"strings"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// segment is a TCP segment in a capture.
type segment struct {
	scenario.Segment
	At time.Duration
}

// readSegment is false for a packet that is no TCP segment.
func readSegment(p scenario.Packet) (segment, bool) {
	s, ok := scenario.ReadSegment(p.Data)
	s.Source, s.Target = unmap(s.Source), unmap(s.Target)
	return segment{s, p.At}, ok
}

// same is equal for the same segment in two captures.
func (s segment) same() scenario.Segment {
	s.IPID, s.Payload = 0, 0 // which may be another after a router, or unknown
	return s.Segment
}

// length is how many sequence numbers the segment takes: those of its bytes, and one
// each for SYN and FIN.
func (s segment) length() int {
	n := s.Payload
	if s.Has(scenario.SYN) {
		n++
	}
	if s.Has(scenario.FIN) {
		n++
	}
	return n
}

// name is the segment in words.
func (s segment) name() string {
	var parts []string
	switch {
	case s.Has(scenario.RST):
		parts = append(parts, "RST"+s.fingerprint())
	case s.Has(scenario.SYN) && s.Has(scenario.ACK):
		parts = append(parts, "SYN-ACK")
	case s.Has(scenario.SYN):
		parts = append(parts, "SYN")
	}
	if s.Has(scenario.FIN) {
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
	if s.Has(scenario.ACK) {
		with[0] = " with ACK"
	}
	if s.Header > 20 {
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
