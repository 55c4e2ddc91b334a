package report

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/diagnose"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// exchange builds the captures of one connection.
type exchange struct {
	client, server scenario.Witnessed
	flow           diagnose.Flow
	stamp          uint32
}

func newExchange() *exchange {
	client := port(0)
	return &exchange{
		client: scenario.Witnessed{Host: "client-" + strings.Repeat("x", 60), Addrs: []netip.Addr{client.Addr()}, Packets: []scenario.Packet{}},
		server: scenario.Witnessed{Host: "server", Addrs: []netip.Addr{serverAddr.Addr()}, Packets: []scenario.Packet{}},
		flow:   diagnose.Flow{Client: client, Server: serverAddr},
	}
}

func (e *exchange) evidence() scenario.Evidence {
	return scenario.Evidence{Hosts: []scenario.Witnessed{e.client, e.server}}
}

// send lets a segment leave and come 20 ms later; the ends at which it is seen are named
// by "c" and "s".
func (e *exchange) send(fromClient bool, at time.Duration, flags scenario.Flags, seen string) {
	e.stamp++
	data, client, server := packet(e.flow.Server, e.flow.Client, flags, e.stamp, 2), at+20*ms, at
	if fromClient {
		data, client, server = packet(e.flow.Client, e.flow.Server, flags, e.stamp, 2), at, at+20*ms
	}
	if strings.Contains(seen, "c") {
		e.client.Packets = append(e.client.Packets, at2(client, data))
	}
	if strings.Contains(seen, "s") {
		e.server.Packets = append(e.server.Packets, at2(server, data))
	}
}

// texts are all that stands in the ladder of the exchange.
func (e *exchange) texts(t *testing.T) string {
	t.Helper()
	l := ladder(&e.flow, e.evidence())
	if l == nil {
		t.Fatal("there is no ladder")
	}
	checkTexts(t, "ladder", l.Picture)
	var all []string
	for _, s := range l.Picture.Shapes {
		if s.Kind == "text" {
			all = append(all, s.Text)
		}
	}
	return strings.Join(all, "\n") + "\n" + l.Caption
}

func TestLadder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		play        func(*exchange)
		want, never []string
	}{
		{"handshake RST", func(e *exchange) {
			e.send(true, 0, scenario.SYN, "cs")
			e.send(false, 20*ms, scenario.SYN|scenario.ACK, "cs")
			e.send(true, 40*ms, scenario.ACK, "cs")
			e.send(false, 60*ms, scenario.RST, "cs")
		}, []string{"SYN\n", "SYN-ACK\n", "ACK\n", "RST, no ACK bit, no options, window 0, IP ID 0", "80.000 ms", "both ends"}, []string{"never", "no answer", "later"}},
		{"first SYN lost", func(e *exchange) {
			e.send(true, 0, scenario.SYN, "c")
			e.send(true, time.Second, scenario.SYN, "cs")
			e.send(false, time.Second+20*ms, scenario.SYN|scenario.ACK, "cs")
		}, []string{"never came", "1 s later"}, []string{"never left", "no answer"}},
		{"injected RST", func(e *exchange) {
			e.send(true, 0, scenario.SYN, "cs")
			e.send(false, 20*ms, scenario.SYN|scenario.ACK, "cs")
			e.send(false, 60*ms, scenario.RST|scenario.ACK, "c")
		}, []string{"never left here", "RST with ACK"}, []string{"never came", "no answer"}},
		{"unanswered SYNs", func(e *exchange) {
			e.send(true, 0, scenario.SYN, "cs")
			e.send(true, time.Second, scenario.SYN, "cs")
		}, []string{"20.000 ms, no answer", "1020.000 ms, no answer"}, []string{"never"}},
		{"a capture that let packets go proves no loss", func(e *exchange) {
			e.server.LetGo = 1
			e.send(true, 0, scenario.SYN, "c")
		}, []string{"no answer"}, []string{"never"}},
		{"server only", func(e *exchange) {
			e.client.Packets = nil
			e.send(true, 0, scenario.SYN, "s")
			e.send(false, 20*ms, scenario.SYN|scenario.ACK, "s")
		}, []string{"at the server only"}, []string{"never", "no answer"}},
		{"on the way", func(e *exchange) {
			e.client.Addrs, e.server.Packets = nil, nil
			e.send(true, 0, scenario.SYN, "c")
		}, []string{"somewhere on the way"}, []string{"never"}},
		{"many", func(e *exchange) {
			for i := range 40 {
				e.send(true, time.Duration(i)*ms, scenario.SYN, "cs")
			}
		}, []string{"26 more packets not shown"}, nil},
		{"crossing", func(e *exchange) {
			e.send(true, 0, scenario.FIN|scenario.ACK, "cs")
			e.send(false, 10*ms, scenario.RST, "cs")
		}, []string{"FIN"}, []string{"no answer"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := newExchange()
			c.play(e)
			got := e.texts(t)
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("the ladder lacks %q; it has:\n%s", want, got)
				}
			}
			for _, never := range c.never {
				if strings.Contains(got, never) {
					t.Errorf("the ladder has %q:\n%s", never, got)
				}
			}
		})
	}
}

func TestNoLadder(t *testing.T) {
	t.Parallel()
	e := newExchange()
	if l := ladder(&e.flow, e.evidence()); l != nil {
		t.Errorf("without packets there is a ladder: %v", l)
	}
	if l := ladder(&e.flow, scenario.Evidence{}); l != nil {
		t.Errorf("without hosts there is a ladder: %v", l)
	}
}

// The listener's resets come from its host's capture, or from any, or from what clients
// were told.
func TestResetTimes(t *testing.T) {
	t.Parallel()
	e := newExchange()
	e.send(false, 10*ms, scenario.RST, "cs")
	told := []scenario.ClientError{{At: 5 * ms, Remote: serverAddr, Errno: "ECONNRESET"}, {At: ms, Remote: serverAddr, Errno: "ETIMEDOUT"}}
	any80 := netip.MustParseAddrPort("[::]:80")
	for _, c := range []struct {
		name     string
		change   func()
		listener netip.AddrPort
		want     time.Duration
	}{
		{"at the server", func() {}, serverAddr, 10 * ms},
		{"of a listener on all addresses", func() {}, any80, 10 * ms},
		{"at the client", func() { e.server.Packets = nil }, serverAddr, 30 * ms},
		{"told", func() { e.client.Packets = nil }, any80, 5 * ms},
	} {
		c.change()
		evidence := e.evidence()
		evidence.Clients = told
		if got, how := resetTimes(evidence, e.server, c.listener); len(got) != 1 || got[0] != c.want {
			t.Errorf("%s: resets at %v (%s), want one at %v", c.name, got, how, c.want)
		}
	}
	other := netip.MustParseAddrPort("10.0.0.1:81")
	if got, _ := resetTimes(e.evidence(), e.server, other); got != nil {
		t.Errorf("another listener has resets at %v", got)
	}
}

func FuzzSegment(f *testing.F) {
	f.Add(packet(port(1), serverAddr, scenario.SYN, 1, 0), 52)
	f.Add(packet(port(1), serverAddr, scenario.RST, 1, 0)[:33], 40)
	f.Add(append([]byte{0x60, 0, 0, 0, 0, 20, 6}, bytes.Repeat([]byte{0xff}, 60)...), 60)
	f.Fuzz(func(t *testing.T, data []byte, length int) {
		s, ok := readSegment(scenario.Packet{Data: data, Length: length})
		if ok && (s.Payload < 0 || s.name() == "" || !s.Source.IsValid()) {
			t.Errorf("segment %+v of %x", s, data)
		}
	})
}
