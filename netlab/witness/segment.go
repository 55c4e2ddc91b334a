package witness

import (
	"encoding/binary"
	"net/netip"
)

// segment is what attribution needs of a TCP segment.
type segment struct {
	source, target netip.AddrPort
	rst            bool
}

const (
	protocolTCP = 6
	flagRST     = 1 << 2
)

// segmentOf reads an IP packet; false if it is no TCP segment, or is cut before its
// flags. IPv6 extension headers and later fragments pass for no TCP.
func segmentOf(data []byte) (segment, bool) {
	var source, target netip.Addr
	var tcp []byte
	switch {
	case len(data) >= 20 && data[0]>>4 == 4 && data[9] == protocolTCP && binary.BigEndian.Uint16(data[6:])&0x1fff == 0:
		source, target = netip.AddrFrom4([4]byte(data[12:16])), netip.AddrFrom4([4]byte(data[16:20]))
		tcp = data[min(int(data[0]&15)*4, len(data)):]
	case len(data) >= 40 && data[0]>>4 == 6 && data[6] == protocolTCP:
		source, target = netip.AddrFrom16([16]byte(data[8:24])), netip.AddrFrom16([16]byte(data[24:40]))
		tcp = data[40:]
	}
	if len(tcp) < 14 {
		return segment{}, false
	}
	return segment{
		source: netip.AddrPortFrom(source, binary.BigEndian.Uint16(tcp)),
		target: netip.AddrPortFrom(target, binary.BigEndian.Uint16(tcp[2:])),
		rst:    tcp[13]&flagRST != 0,
	}, true
}
