package wire

import (
	"fmt"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// Packet is one IP packet that a host sent.
type Packet struct {
	Sent    time.Duration   // when its host sent it
	Arrived []time.Duration // when it was delivered; empty if it was not, several if it was duplicated
	From    Side            // which host sent it, or Inject pretended
	Data    []byte          // from the IP header on; not to be changed

	Injected bool // it never crossed its host's interface
}

// Segment reads the packet's TCP segment; false if it has none.
func (p *Packet) Segment() (scenario.Segment, bool) { return scenario.ReadSegment(p.Data) }

// Is tells whether the packet is a TCP segment with exactly these flags, the push flag
// aside.
func (p *Packet) Is(flags scenario.Flags) bool {
	s, ok := p.Segment()
	return ok && s.Flags&^scenario.PSH == flags&^scenario.PSH
}

// String is one line, as tcpdump would print it.
func (p *Packet) String() string {
	s, ok := p.Segment()
	if !ok {
		return fmt.Sprintf("%v %v: %d bytes that are not TCP", p.Sent, p.From, len(p.Data))
	}
	return fmt.Sprintf("%v %v", p.Sent, s)
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
