package diagnose_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"github.com/rstlab/rstlab/netlab/diagnose"
	"github.com/rstlab/rstlab/netlab/scenario"
)

var (
	client = netip.MustParseAddrPort("198.18.0.1:40000")
	server = netip.MustParseAddrPort("198.18.0.2:8080")
)

// segment is a TCP segment without options and data, from the IP header on.
func segment(from, to netip.AddrPort, flags scenario.Flags) []byte {
	const length, ipv4, fiveWords = 40, 0x45, 5 << 4
	p := make([]byte, length)
	p[0], p[3], p[8], p[9] = ipv4, length, 64, scenario.ProtocolTCP
	copy(p[12:], from.Addr().AsSlice())
	copy(p[16:], to.Addr().AsSlice())
	binary.BigEndian.PutUint16(p[20:], from.Port())
	binary.BigEndian.PutUint16(p[22:], to.Port())
	p[32], p[33] = fiveWords, byte(flags)
	if flags&scenario.ACK != 0 {
		binary.BigEndian.PutUint32(p[28:], 1)
	}
	return p
}

// A SYN that a RST answers, seen at the server: nothing listens, or a firewall says so.
// What the server counted decides, so the same packets are diagnosed with and without it.
func ExampleRun() {
	w := scenario.Witnessed{Host: "server", Addrs: []netip.Addr{server.Addr()}, Packets: []scenario.Packet{
		{Data: segment(client, server, scenario.SYN), Length: 40},
		{At: time.Millisecond, Data: segment(server, client, scenario.RST|scenario.ACK), Length: 40},
	}}
	show := func(w scenario.Witnessed) {
		report := diagnose.Run(scenario.Evidence{Hosts: []scenario.Witnessed{w}})
		flow := report.Find(client)
		fmt.Println(flow.Shape, flow.Grade, flow.Candidates, "balanced:", report.Balanced())
	}
	show(w)
	w.Counters = []scenario.CounterSample{
		{Counters: scenario.Counters{"OutRsts": 7}},
		{At: 2 * time.Millisecond, Counters: scenario.Counters{"OutRsts": 8}},
	}
	show(w)
	w.Counters[1].Counters["OutRsts"] = 7
	show(w)
	// Output:
	// >S <R. possible [closed-port firewall-reject-syn] balanced: true
	// >S <R. certain [closed-port] balanced: true
	// >S <R. certain [firewall-reject-syn] balanced: true
}

func ExampleCause() {
	c := diagnose.AcceptOverflowAbort
	fmt.Println(c.What())
	fmt.Println(c.Cure())
	// Output:
	// the handshake was complete, the accept queue was full, and tcp_abort_on_overflow is set
	// raise the backlog of listen(2) and net.core.somaxconn, accept faster, or let clients connect at a pace
}
