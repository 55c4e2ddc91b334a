package diagnose

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

var (
	clientEnd = netip.MustParseAddrPort("10.0.0.2:40000")
	serverEnd = netip.MustParseAddrPort("10.0.0.1:80")
)

// talk writes the packets of one connection. Its sequence numbers are those of two hosts
// that tell the truth.
type talk struct {
	client, server netip.AddrPort
	step           time.Duration // between two packets
	now            time.Duration
	sent, from     [2]uint32 // what the client and the server have sent, and where their latest data begin
	last           []byte    // the latest packet of the client
	packets        []scenario.Packet
}

func newTalk() *talk {
	return &talk{client: clientEnd, server: serverEnd, step: time.Millisecond, sent: [2]uint32{1000, 5000}}
}

// say writes packets in the manner of a shape. A token is >S or <P. or the like; a pause
// such as (1s); ! for an ICMP error about the client's latest packet, !4 for one that asks
// for smaller packets. Data are 5 bytes, or the text after a colon, with _ for a space; = behind the flags
// sends the latest data again.
//
//	>S <S. >. >P.:GET_/ <. (1s) >P.=:GET_/ <R
func (k *talk) say(shape string) *talk {
	for token := range strings.FieldsSeq(shape) {
		switch token[0] {
		case '(':
			pause, err := time.ParseDuration(strings.Trim(token, "()"))
			if err != nil {
				panic(err)
			}
			k.now += pause - k.step
		case '!':
			k.icmp(token[1:])
		default:
			k.segment(token)
		}
	}
	return k
}

func (k *talk) segment(token string) {
	flags, text, _ := strings.Cut(token[1:], ":")
	again := strings.HasSuffix(flags, "=")
	text = strings.ReplaceAll(text, "_", " ")
	set := parseFlags(strings.TrimSuffix(flags, "="))
	if set&scenario.PSH != 0 && text == "" {
		text = "hello"
	}
	source, target, me := k.client, k.server, 0
	if token[0] == '<' {
		source, target, me = k.server, k.client, 1
	}
	seq := k.sent[me]
	switch {
	case again, set&scenario.SYN != 0 && seq != k.first(me): // a SYN comes only once with a new number
		seq = map[bool]uint32{true: k.first(me), false: k.from[me]}[set&scenario.SYN != 0]
	case set&scenario.RST == 0:
		k.from[me] = seq
		k.sent[me] += uint32(len(text))
		if set&(scenario.SYN|scenario.FIN) != 0 {
			k.sent[me]++
		}
	}
	data := tcpPacket(source, target, set, seq, k.sent[1-me], text)
	if me == 0 {
		k.last = data
	}
	k.add(data)
}

// first is an initial sequence number.
func (k *talk) first(me int) uint32 { return [2]uint32{1000, 5000}[me] }

func (k *talk) add(data []byte) {
	k.packets = append(k.packets, scenario.Packet{At: k.now, Data: data, Length: len(data)})
	k.now += k.step
}

func parseFlags(text string) (set scenario.Flags) {
	for _, c := range text {
		set |= map[rune]scenario.Flags{'F': scenario.FIN, 'S': scenario.SYN, 'R': scenario.RST, 'P': scenario.PSH, '.': scenario.ACK}[c]
	}
	return set
}

// ipHeader is an IP header without a right checksum.
func ipHeader(source, target netip.Addr, protocol byte, payload int) []byte {
	if source.Is4() {
		h := make([]byte, 20)
		h[0], h[8], h[9] = 0x45, 64, protocol
		binary.BigEndian.PutUint16(h[2:], uint16(20+payload))
		copy(h[12:], source.AsSlice())
		copy(h[16:], target.AsSlice())
		return h
	}
	h := make([]byte, 40)
	h[0], h[6], h[7] = 0x60, protocol, 64
	binary.BigEndian.PutUint16(h[4:], uint16(payload))
	copy(h[8:], source.AsSlice())
	copy(h[24:], target.AsSlice())
	return h
}

// tcpPacket has 12 bytes of options, unless it is a RST without ACK.
func tcpPacket(source, target netip.AddrPort, set scenario.Flags, seq, ack uint32, text string) []byte {
	header := 32
	if set == scenario.RST {
		header = 20
	}
	tcp := make([]byte, header)
	binary.BigEndian.PutUint16(tcp, source.Port())
	binary.BigEndian.PutUint16(tcp[2:], target.Port())
	binary.BigEndian.PutUint32(tcp[4:], seq)
	binary.BigEndian.PutUint32(tcp[8:], ack)
	tcp[12], tcp[13] = byte(header/4<<4), byte(set)
	for i := 20; i < header; i++ {
		tcp[i] = 1 // no operation
	}
	tcp = append(tcp, text...)
	return append(ipHeader(source.Addr(), target.Addr(), 6, len(tcp)), tcp...)
}

// icmp adds an ICMP error that quotes the client's latest packet.
func (k *talk) icmp(code string) {
	n, err := strconv.Atoi("0" + code)
	if err != nil {
		panic(err)
	}
	header, kind, protocol := 20, byte(3), byte(1)
	if k.client.Addr().Is6() {
		header, kind, protocol = 40, 1, 58
	}
	body := append([]byte{kind, byte(n), 0, 0, 0, 0, 0, 0}, k.last[:header+8]...)
	k.add(append(ipHeader(k.server.Addr(), k.client.Addr(), protocol, len(body)), body...))
}

// evidence is the talk as one host saw it of which nothing is known.
func (k *talk) evidence() scenario.Evidence {
	return scenario.Evidence{Hosts: []scenario.Witnessed{{Host: "capture", Packets: k.packets}}}
}

// atServer is the talk as the server saw it, whose counters have moved by so much.
func (k *talk) atServer(moved scenario.Counters) scenario.Evidence {
	w := scenario.Witnessed{Host: "server", Addrs: []netip.Addr{k.server.Addr()}, Packets: k.packets}
	if moved != nil {
		w.Counters = []scenario.CounterSample{{At: -time.Second, Counters: scenario.Counters{}}, {At: k.now + time.Second, Counters: moved}}
	}
	return scenario.Evidence{Hosts: []scenario.Witnessed{w}}
}

// history is what the talk shows.
func (k *talk) history(t *testing.T) history {
	t.Helper()
	flows := track(k.evidence().Hosts)
	if len(flows) != 1 {
		t.Fatalf("the talk has %d flows, want 1", len(flows))
	}
	return historyOf(flows[0])
}

// only is the one flow of a report.
func only(t *testing.T, r Report) Flow {
	t.Helper()
	if len(r.Flows) != 1 {
		t.Fatalf("the report has %d flows, want 1: %+v", len(r.Flows), r.Flows)
	}
	return r.Flows[0]
}

// historyOf is what the first host saw of a flow.
func historyOf(f *flow) (h history) {
	h.read(f.views[0])
	return h
}
