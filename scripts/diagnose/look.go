package main

import (
	"encoding/binary"
	"net/netip"
)

// Protocol numbers of IP, and the length of its fixed headers and TCP's.
const (
	protocolTCP    = 6
	protocolICMP   = 1
	protocolICMPv6 = 58

	header4   = 20
	header6   = 40
	headerTCP = 20
)

// glance is what the headers of a TCP segment tell at once.
type glance struct {
	source, target netip.AddrPort
	seq            uint32
	syn, ack       bool
	ttl            byte // or hop limit
}

// routed tells whether a router has lowered the time to live: hosts begin with one of
// these.
func (g glance) routed() bool { return g.ttl != 64 && g.ttl != 128 && g.ttl != 255 && g.ttl != 32 }

// look reads the headers of a TCP segment; false if the packet is none, or one with
// IPv6 extension headers.
func look(ip []byte) (glance, bool) {
	start := tcpStart(ip)
	if start == 0 || len(ip) < start+headerTCP {
		return glance{}, false
	}
	addresses, size, ttl := ip[12:20], 4, ip[8]
	if ip[0]>>4 == 6 {
		addresses, size, ttl = ip[8:40], 16, ip[7]
	}
	source, _ := netip.AddrFromSlice(addresses[:size])
	target, _ := netip.AddrFromSlice(addresses[size:])
	tcp := ip[start:]
	return glance{
		netip.AddrPortFrom(source, binary.BigEndian.Uint16(tcp)), netip.AddrPortFrom(target, binary.BigEndian.Uint16(tcp[2:])),
		binary.BigEndian.Uint32(tcp[4:]), tcp[13]&2 != 0, tcp[13]&16 != 0, ttl,
	}, true
}

// tcpStart is where the TCP header begins; zero if there is none that can be seen at
// once.
func tcpStart(ip []byte) int {
	switch {
	case len(ip) >= header4 && ip[0]>>4 == 4 && ip[9] == protocolTCP && binary.BigEndian.Uint16(ip[6:])&0x1fff == 0:
		return max(header4, int(ip[0]&15)*4)
	case len(ip) >= header6 && ip[0]>>4 == 6 && ip[6] == protocolTCP:
		return header6
	}
	return 0
}

// mostKept is how much is kept of a packet that is not plain TCP; it has room for an
// ICMP error with the headers that it quotes.
const mostKept = 160

// someData is how much of a segment's data is kept, enough to know HTTP.
const someData = 8

// worth is how many bytes of a packet are worth keeping; zero if it is neither TCP nor
// ICMP.
func worth(ip []byte) int {
	if start := tcpStart(ip); start > 0 {
		if len(ip) < start+headerTCP {
			return len(ip)
		}
		return min(len(ip), start+max(headerTCP, int(ip[start+12]>>4)*4)+someData)
	}
	switch {
	case len(ip) < header4:
		return 0
	case ip[0]>>4 == 4 && ip[9] != protocolICMP:
		return 0
	case ip[0]>>4 == 6 && ip[6] != protocolICMPv6:
		return 0
	}
	return min(len(ip), mostKept)
}
