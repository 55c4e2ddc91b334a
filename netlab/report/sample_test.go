package report

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/diagnose"
	"github.com/rstlab/rstlab/netlab/predict"
	"github.com/rstlab/rstlab/netlab/scenario"
)

const ms = time.Millisecond

var (
	serverAddr = netip.MustParseAddrPort("10.0.0.1:80")
	clientAddr = netip.MustParseAddr("10.0.0.2")
)

// story is a swarm, a millisecond apart, against a server that accepts one connection
// in 20 ms, 100 ms away.
func story(clients int) scenario.Scenario {
	s := scenario.Defaults()
	s.Arrivals = scenario.Arrivals{{Clients: clients, Gap: ms}}
	s.RTT, s.Backlog, s.AbortOnOverflow, s.SYNCookies, s.Horizon = 100*ms, 64, true, 0, max(4500*ms, time.Duration(clients+200)*ms)
	s.Accept = scenario.Accept{Mode: scenario.AcceptEvery, Every: 20 * ms}
	return s
}

// sample is a page with every part, whose evidence was made from a prediction, so that
// fates, packets, counters and queues agree.
func sample(t *testing.T, s scenario.Scenario) Page {
	t.Helper()
	outcome, err := predict.Run(s, scenario.Modern)
	if err != nil {
		t.Fatal(err)
	}
	decisions, err := predict.Explain(s, scenario.Modern)
	if err != nil {
		t.Fatal(err)
	}
	b := builder{scenario: s, outcome: outcome, decisions: decisions}
	p := Page{Title: "front, limit 64: " + fmt.Sprint(s.Arrivals.Clients()) + " clients, 1 ms apart", Evidence: b.evidence()}
	p.Diagnosis = b.diagnosis()
	p.Runs = []Run{
		{Name: "front, limit 64, abort on", Fates: outcome.Fates, Clients: s.Arrivals.Clients(), Failed: true, Why: "69 resets are 69 too many"},
		{Name: "front, limit 400, abort on", Fates: scenario.Fates{scenario.Served: 400}},
		{Name: "front, limit 128, abort off", Fates: scenario.Fates{scenario.Served: 392, scenario.Reset: 1, scenario.Refused: 1, scenario.TimedOut: 3, scenario.Failed: 2}, Clients: 400},
	}
	p.ConnectTimes = b.connects()
	if p.Heat, err = BacklogByBurst(flat(s), scenario.Modern, []int{16, 64, 128, 256, 400}, []int{50, 100, 400, 800}); err != nil {
		t.Fatal(err)
	}
	p.Heat.Measure(1, 1, p.Heat.at(1, 1).Predicted)
	p.Heat.Measure(1, 2, scenario.Fates{scenario.Served: 330, scenario.Reset: 70})
	advice, err := predict.Advise(flat(s), scenario.Modern)
	if err != nil {
		t.Fatal(err)
	}
	p.Advice = &advice
	p.Environment = []Fact{
		{"kernel", "Linux 6.18.2 x86_64, 2 CPUs"}, {"Go", "go1.26.8"}, {"net.core.somaxconn", "4096"},
		{"net.ipv4.tcp_abort_on_overflow", "1"}, {"net.ipv4.tcp_syncookies", "0"},
	}
	return p
}

// flat is the scenario without timers, as the heat map and the advice want it.
func flat(s scenario.Scenario) scenario.Scenario {
	s.Horizon = 0
	return s
}

// builder makes evidence of the decisions that a kernel would have made.
type builder struct {
	scenario  scenario.Scenario
	outcome   scenario.Outcome
	decisions []predict.Decision
}

func port(client int) netip.AddrPort { return netip.AddrPortFrom(clientAddr, uint16(20000+client)) }

func (b *builder) evidence() scenario.Evidence {
	client := scenario.Witnessed{Host: "client", Addrs: []netip.Addr{clientAddr}}
	server := scenario.Witnessed{Host: "server", Addrs: []netip.Addr{serverAddr.Addr()}}
	sent := map[int]int{}
	drops := uint32(0)
	for _, d := range b.decisions {
		sent[d.Client]++
		forth := packet(port(d.Client), serverAddr, b.segment(d), uint32(sent[d.Client]), 0)
		client.Packets = append(client.Packets, at2(d.At-b.scenario.RTT/2, forth))
		server.Packets = append(server.Packets, at2(d.At, forth))
		if flags := replies[d.Rule]; flags != 0 {
			back := packet(serverAddr, port(d.Client), flags, uint32(sent[d.Client]), 2)
			server.Packets = append(server.Packets, at2(d.At, back))
			client.Packets = append(client.Packets, at2(d.At+b.scenario.RTT/2, back))
		}
		drops += dropped[d.Rule]
		server.Queues = append(server.Queues, scenario.QueueSample{
			At: d.At, Listener: serverAddr, Length: uint32(d.Accept), Limit: b.scenario.Limit(b.scenario.Backlog), Drops: drops, SYNQueue: d.SYN,
		})
	}
	slices.SortStableFunc(client.Packets, func(a, b scenario.Packet) int { return cmp.Compare(a.At, b.At) })
	server.Counters = []scenario.CounterSample{{Counters: scenario.Counters{}}, {At: b.scenario.Horizon, Counters: b.outcome.Server}}
	return scenario.Evidence{Hosts: []scenario.Witnessed{client, server}}
}

var replies = map[predict.Rule]scenario.Flags{
	predict.SYNAnswered: scenario.SYN | scenario.ACK, predict.SegmentReset: scenario.RST, predict.SegmentStray: scenario.RST,
}

// dropped is what a listener counts in its drops.
var dropped = map[predict.Rule]uint32{predict.SYNQueueFull: 1, predict.SYNOverflow: 1, predict.SegmentReset: 2}

func (b *builder) segment(d predict.Decision) scenario.Flags {
	if d.Segment == "SYN" {
		return scenario.SYN
	}
	return scenario.ACK
}

func at2(at time.Duration, data []byte) scenario.Packet {
	return scenario.Packet{At: at, Data: data, Length: len(data)}
}

// packet is an IPv4 packet without checksums; stamp is its timestamp option.
func packet(source, target netip.AddrPort, flags scenario.Flags, stamp, ack uint32) []byte {
	size := 52
	if flags&scenario.RST != 0 {
		size = 40
	}
	d := make([]byte, size)
	d[0], d[9] = 0x45, scenario.ProtocolTCP
	binary.BigEndian.PutUint16(d[2:], uint16(size))
	s, t := source.Addr().As4(), target.Addr().As4()
	copy(d[12:], s[:])
	copy(d[16:], t[:])
	binary.BigEndian.PutUint16(d[20:], source.Port())
	binary.BigEndian.PutUint16(d[22:], target.Port())
	seq := uint32(1)
	if flags&scenario.SYN == 0 {
		seq = 2
	}
	binary.BigEndian.PutUint32(d[24:], seq)
	binary.BigEndian.PutUint32(d[28:], ack)
	d[32], d[33] = byte((size-20)/4)<<4, byte(flags)
	if flags&scenario.RST == 0 {
		binary.BigEndian.PutUint16(d[34:], 502)
		copy(d[40:], []byte{1, 1, 8, 10})
		binary.BigEndian.PutUint32(d[44:], stamp)
	}
	return d
}

// diagnosis is what a diagnosis of this evidence would say.
func (b *builder) diagnosis() diagnose.Report {
	var r diagnose.Report
	counts := map[diagnose.Cause]int{}
	for client, fate := range b.outcome.ByClient {
		f := diagnose.Flow{Client: port(client), Server: serverAddr, Name: port(client).String() + ">" + serverAddr.String(), Grade: diagnose.Certain}
		f.Shape = b.shape(client)
		switch fate {
		case scenario.Served, scenario.Queued:
			f.Cause = diagnose.Healthy
		case scenario.Reset:
			f.Cause, f.Cure = diagnose.AcceptOverflowAbort, "raise backlog and somaxconn, accept faster, or pace the clients"
			f.For = []diagnose.Clue{
				{Text: "RST without the ACK bit, window 0, no options, IP ID 0: the kernel answered, no socket was closed", Host: "server", At: 115 * ms, Packet: 317},
				{Text: "the accept queue stood at 65 of limit 64 when the ACK came", Host: "server", At: 114 * ms},
				{Text: fmt.Sprintf("EmbryonicRsts moved by %d, as many as there are such flows", b.outcome.Server["EmbryonicRsts"]), Host: "server"},
			}
			f.RuledOut = []diagnose.Exclusion{
				{Cause: diagnose.FirewallRejectACK, Why: "OutRsts counts every RST on the wire"},
				{Cause: diagnose.InjectedRST, Why: "the RST left the server's interface before it reached the client"},
				{Cause: diagnose.ListenerClosedHalf, Why: "the listener was there before and after"},
			}
		default:
			f.Cause, f.Grade, f.Cure = diagnose.AcceptOverflowSYN, diagnose.Likely, "as for accept-overflow-abort"
			f.For = []diagnose.Clue{{Text: "SYNs came and were not answered", Host: "server"}}
			f.Against = []diagnose.Clue{{Text: "one SYN was answered late", Host: "server"}}
			f.Candidates, f.CaptureNext = []diagnose.Cause{f.Cause, diagnose.FirewallDropSYN}, "the listener's sk_drops"
		}
		counts[f.Cause]++
		r.Flows = append(r.Flows, f)
	}
	for _, c := range []diagnose.Cause{diagnose.Healthy, diagnose.AcceptOverflowAbort, diagnose.AcceptOverflowSYN} {
		if f := (Page{Diagnosis: r}).typical(c); f != nil {
			r.Summary.Causes = append(r.Summary.Causes, diagnose.Count{Cause: c, Flows: counts[c], Grade: f.Grade, Cure: f.Cure})
		}
	}
	slices.SortStableFunc(r.Summary.Causes, func(a, b diagnose.Count) int { return cmp.Compare(b.Flows, a.Flows) })
	for _, name := range []string{"EmbryonicRsts", "ListenDrops", "ListenOverflows", "OutRsts"} {
		e := diagnose.Entry{Host: "server", Counter: name, Moved: b.outcome.Server[name], Explained: map[diagnose.Cause]uint64{}}
		e.Explained[diagnose.AcceptOverflowAbort] = uint64(counts[diagnose.AcceptOverflowAbort])
		if rest := e.Moved - e.Explained[diagnose.AcceptOverflowAbort]; rest > 0 {
			e.Explained[diagnose.AcceptOverflowSYN] = rest
		}
		r.Summary.Books = append(r.Summary.Books, e)
	}
	r.Summary.Notes = []string{"no kernel reasons were traced"}
	return r
}

func (b *builder) shape(client int) string {
	var parts []string
	for _, d := range b.decisions {
		if d.Client != client {
			continue
		}
		parts = append(parts, map[scenario.Flags]string{scenario.SYN: ">S", scenario.ACK: ">."}[b.segment(d)])
		switch replies[d.Rule] {
		case scenario.RST:
			parts = append(parts, "<R")
		case scenario.SYN | scenario.ACK:
			parts = append(parts, "<S.")
		}
	}
	return strings.Join(parts, " ")
}

func (b *builder) connects() []ConnectTime {
	began, syns, done := map[int]time.Duration{}, map[int]int{}, map[int]time.Duration{}
	for _, d := range b.decisions {
		if d.Segment == "SYN" {
			if syns[d.Client]++; syns[d.Client] == 1 {
				began[d.Client] = d.At
			}
		}
		if d.Rule == predict.SYNAnswered || done[d.Client] == 0 {
			done[d.Client] = d.At
		}
	}
	var all []ConnectTime
	for client, fate := range b.outcome.ByClient {
		if fate == scenario.SYNDropped {
			done[client] = began[client] + 4*time.Second
		}
		jitter := time.Duration(client%17) * 300 * time.Microsecond
		all = append(all, ConnectTime{done[client] - began[client] + b.scenario.RTT + jitter, syns[client] - 1, fate})
	}
	return all
}
