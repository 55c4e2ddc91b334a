package diagnose

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

func TestDecode(t *testing.T) {
	client6, server6 := netip.MustParseAddrPort("[fd00::2]:40000"), netip.MustParseAddrPort("[fd00::1]:80")
	for _, c := range []struct {
		name           string
		source, target netip.AddrPort
		flags          scenario.Flags
		text           string
		cut            int // bytes that are missing at the end
		options        bool
	}{
		{"SYN", clientEnd, serverEnd, scenario.SYN, "", 0, true},
		{"data", clientEnd, serverEnd, scenario.PSH | scenario.ACK, "GET / HTTP/1.1", 0, true},
		{"RST", serverEnd, clientEnd, scenario.RST, "", 0, false},
		{"data cut off", clientEnd, serverEnd, scenario.PSH | scenario.ACK, "GET / HTTP/1.1", 14, true},
		{"options cut off", clientEnd, serverEnd, scenario.SYN, "", 7, true},
		{"options cut off before data", clientEnd, serverEnd, scenario.PSH | scenario.ACK, "GET / HTTP/1.1", 14 + 12, true},
		{"IPv6 SYN-ACK", server6, client6, scenario.SYN | scenario.ACK, "", 0, true},
		{"IPv6 data", client6, server6, scenario.PSH | scenario.ACK, "hello", 0, true},
		{"IPv6 options cut off", client6, server6, scenario.SYN, "", 3, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := tcpPacket(c.source, c.target, c.flags, 7, 9, c.text)
			s, e, u := newDecoder().decode(scenario.Packet{At: time.Second, Data: data[:len(data)-c.cut]}, 3)
			if s == nil || u != nil {
				t.Fatalf("decode() = %v, %v, want a segment", s, u)
			}
			if e != (ends{c.source, c.target}) || s.flags != c.flags || s.seq != 7 || s.ack != 9 || s.length != len(c.text) ||
				s.options != c.options || s.at != time.Second || s.number != 3 || s.ttl != 64 {
				t.Errorf("decode() = %+v from %v, want %v with %d bytes of data from %v", *s, e, c.flags, len(c.text), c)
			}
			if kept := max(0, min(len(c.text)-c.cut, maxText)); s.text != c.text[:kept] {
				t.Errorf("its text is %q, want %q", s.text, c.text[:kept])
			}
		})
	}
}

func TestDecodeNeither(t *testing.T) {
	syn := tcpPacket(clientEnd, serverEnd, scenario.SYN, 1, 0, "")
	fragment := bytes.Clone(syn)
	fragment[7] = 9
	udp := bytes.Clone(syn)
	udp[9] = 17
	for name, data := range map[string][]byte{
		"nothing": nil, "one byte": {0x45}, "an IP header cut off": syn[:12], "a TCP header cut off": syn[:20+19],
		"a later fragment": fragment, "UDP": udp, "ARP": {0, 1, 8, 0, 6, 4}, "zeros": make([]byte, 60),
	} {
		if s, _, u := newDecoder().decode(scenario.Packet{Data: data}, 1); s != nil || u != nil {
			t.Errorf("decode(%s) = %v, %v, want neither", name, s, u)
		}
	}
}

// A decoder is used again: nothing of a packet may stay.
func TestDecodeAgain(t *testing.T) {
	d := newDecoder()
	d.decode(scenario.Packet{Data: tcpPacket(clientEnd, serverEnd, scenario.SYN|scenario.PSH, 1, 2, "hello")}, 1)
	udp := tcpPacket(clientEnd, serverEnd, scenario.SYN, 1, 0, "")
	udp[9] = 17
	if s, _, _ := d.decode(scenario.Packet{Data: udp}, 2); s != nil {
		t.Errorf("decode(UDP) after a SYN = %v, want nothing", *s)
	}
	s, _, _ := d.decode(scenario.Packet{Data: tcpPacket(serverEnd, clientEnd, scenario.RST, 5, 0, "")}, 3)
	if s == nil || s.flags != scenario.RST || s.options || s.length != 0 || s.text != "" {
		t.Errorf("decode(RST) = %+v, want nothing of the packets before", s)
	}
}

func TestDecodeICMP(t *testing.T) {
	for _, c := range []struct {
		name           string
		client, server netip.AddrPort
		shape          string
		want           string // empty: it is no failure
	}{
		{"host", clientEnd, serverEnd, ">S !1", "DestinationUnreachable(Host)"},
		{"port", clientEnd, serverEnd, ">S !3", "DestinationUnreachable(Port)"},
		{"prohibited", clientEnd, serverEnd, ">S !13", "DestinationUnreachable(CommAdminProhibited)"},
		{"smaller packets", clientEnd, serverEnd, ">P. !4", ""},
		{"IPv6", netip.MustParseAddrPort("[fd00::2]:1025"), netip.MustParseAddrPort("[fd00::1]:80"), ">S !4", "DestinationUnreachable(PortUnreachable)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newTalk()
			k.client, k.server = c.client, c.server
			k.say(c.shape)
			s, _, u := newDecoder().decode(k.packets[1], 2)
			if s != nil || (u != nil) != (c.want != "") {
				t.Fatalf("decode() = %v, %v", s, u)
			}
			if u != nil && (u.what != c.want || u.about != ends{c.client, c.server} || u.number != 2) {
				t.Errorf("decode() = %+v, want %s about %v", *u, c.want, c)
			}
		})
	}
}

// What an ICMP error quotes may be cut off, or of something else.
func TestDecodeICMPQuotesNothing(t *testing.T) {
	icmp := newTalk().say(">S !1").packets[1].Data
	for n := range icmp {
		if _, _, u := newDecoder().decode(scenario.Packet{Data: icmp[:n]}, 1); u != nil && n < len(icmp)-4 {
			t.Errorf("decode(the first %d of %d bytes) = %+v, want nothing", n, len(icmp), *u)
		}
	}
	for name, change := range map[string]func([]byte){
		"an echo":        func(b []byte) { b[20] = 8 },
		"a quote of UDP": func(b []byte) { b[28+9] = 17 },
		"no length":      func(b []byte) { b[28] = 0x41 },
	} {
		data := bytes.Clone(icmp)
		change(data)
		if _, _, u := newDecoder().decode(scenario.Packet{Data: data}, 1); u != nil {
			t.Errorf("decode(%s) = %+v, want nothing", name, *u)
		}
	}
}
