package witness

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// Every segment of 200 handshakes is seen at both ends, as the hosts' counters say.
func TestAllPacketsAtBothEnds(t *testing.T) {
	for _, family := range []string{"IPv4", "IPv6"} {
		t.Run(family, func(t *testing.T) {
			t.Parallel()
			client, server := netlab.New(t).Pair()
			address := net.JoinHostPort(server.Addr(), "8080")
			if family == "IPv6" {
				address = net.JoinHostPort(server.Addr6(), "8080")
			}
			listen(t, server, address, 200)
			rec := Record(t, Config{}, client, server)
			dial(t, client, address, 200)
			evidence := rec.Stop()
			for i, want := range []struct {
				name           string
				sent, received uint64
			}{{"client", 400, 200}, {"server", 200, 400}} {
				w := evidence.Hosts[i]
				sent, received := sentAndReceived(w)
				moved := w.Moved()
				if w.Host != want.name || w.LetGo != 0 || sent != want.sent || received != want.received {
					t.Errorf("host %s: %d segments sent, %d received, %d let go; want %+v and none", w.Host, sent, received, w.LetGo, want)
				}
				if moved["OutSegs"] != sent || moved["InSegs"] != received {
					t.Errorf("host %s counted %v, and %d were seen sent, %d received", w.Host, moved.Only("OutSegs", "InSegs"), sent, received)
				}
			}
		})
	}
}

// Beyond its bound a recording keeps the first packets and counts the others, wherever
// the kernel's memory ends.
func TestBoundLetsGoTheSurplus(t *testing.T) {
	perBlock := layoutFor(1, defaultSnapLength).perBlock
	for _, bound := range []int{1, 299, perBlock, 599, 600, 601} {
		t.Run(fmt.Sprint("bound=", bound), func(t *testing.T) {
			t.Parallel()
			client, server := pair(t)
			address := server.Addr() + ":8080"
			listen(t, server, address, 200)
			dial(t, client, address, 1) // the neighbours know each other
			all := Record(t, Config{}, client, server)
			few := Record(t, Config{MaxPackets: bound}, client, server)
			dial(t, client, address, 200)
			gotFew, gotAll := few.Stop(), all.Stop()
			for i := range gotFew.Hosts {
				w, full := gotFew.Hosts[i], gotAll.Hosts[i]
				if len(full.Packets) != 600 || full.LetGo != 0 {
					t.Fatalf("host %s: %d packets, %d let go without a bound; want 600, 0", w.Host, len(full.Packets), full.LetGo)
				}
				if len(w.Packets) != min(bound, 600) || w.LetGo != max(0, 600-bound) {
					t.Errorf("host %s: %d packets kept, %d let go; want %d, %d", w.Host, len(w.Packets), w.LetGo, min(bound, 600), max(0, 600-bound))
				}
				for n, p := range w.Packets {
					if !bytes.Equal(p.Data, full.Packets[n].Data) {
						t.Fatalf("host %s: packet %d is not the one of the whole recording", w.Host, n)
					}
				}
			}
		})
	}
}

func TestSnapLength(t *testing.T) {
	t.Parallel()
	client, server := pair(t)
	ln := listen(t, server, server.Addr()+":8080", 1)
	short := Record(t, Config{SnapLength: 60}, server)
	long := Record(t, Config{SnapLength: maxSnapLength}, server)
	conn := dial(t, client, ln.Addr().String(), 1)[0]
	payload := bytes.Repeat([]byte("payload!"), 150)
	_, err := conn.Write(payload)
	must(t, err)
	peer, err := ln.Accept()
	must(t, err)
	defer peer.Close()
	_, err = io.ReadFull(peer, make([]byte, len(payload)))
	must(t, err)
	whole, cut := long.Stop().Hosts[0].Packets, short.Stop().Hosts[0].Packets
	if len(whole) != len(cut) {
		t.Fatalf("%d packets with the snap length 60, want %d as without", len(cut), len(whole))
	}
	withPayload := 0
	for i, p := range whole {
		if len(p.Data) != p.Length {
			t.Errorf("packet %d has %d bytes of %d, want all", i, len(p.Data), p.Length)
		}
		if c := cut[i]; c.Length != p.Length || !bytes.Equal(c.Data, p.Data[:min(60, p.Length)]) {
			t.Errorf("packet %d was cut to %d bytes of %d, want the first %d of %d", i, len(c.Data), c.Length, min(60, p.Length), p.Length)
		}
		if bytes.HasSuffix(p.Data, payload) {
			withPayload++
		}
	}
	if withPayload != 1 {
		t.Errorf("%d packets end with the payload, want 1", withPayload)
	}
}

// What was sent before Stop is seen at both ends, however often it is tried, and what is
// sent afterwards is not.
func TestStopDrains(t *testing.T) {
	t.Parallel()
	client, server := pair(t)
	target := &net.UDPAddr{IP: net.ParseIP(server.Addr()), Port: 9}
	var conn net.PacketConn
	must(t, client.Do(func() (err error) {
		conn, err = net.ListenPacket("udp4", client.Addr()+":0")
		return err
	}))
	defer conn.Close()
	send := func() {
		_, err := conn.WriteTo([]byte("datagram"), target)
		must(t, err)
	}
	send() // the neighbours know each other
	for range 20 {
		rec := Record(t, Config{}, client, server)
		for range 50 {
			send()
		}
		evidence := rec.Stop()
		send()
		for _, w := range evidence.Hosts {
			if n := datagrams(w); n != 50 {
				t.Fatalf("host %s: %d datagrams seen, want 50", w.Host, n)
			}
		}
	}
}

const protocolUDP = 17

func datagrams(w scenario.Witnessed) (n int) {
	for _, p := range w.Packets {
		if p.Data[0]>>4 == 4 && p.Data[9] == protocolUDP {
			n++
		}
	}
	return n
}

// On lo each packet is seen once, and only if asked for.
func TestLoopback(t *testing.T) {
	t.Parallel()
	_, server := netlab.New(t).Pair()
	listen(t, server, "127.0.0.1:8080", 1)
	with, without := Record(t, Config{Loopback: true}, server), Record(t, Config{}, server)
	dial(t, server, "127.0.0.1:8080", 1)
	onLo := func(rec *Recording) (n int) {
		for _, p := range rec.Stop().Hosts[0].Packets {
			if s, ok := scenario.ReadSegment(p.Data); ok && s.Source.Addr().IsLoopback() {
				n++
			}
		}
		return n
	}
	if got := onLo(with); got != 3 {
		t.Errorf("%d packets of a handshake on lo, want 3", got)
	}
	if got := onLo(without); got != 0 {
		t.Errorf("%d packets on lo without Loopback, want none", got)
	}
	if addrs := with.Stop().Hosts[0].Addrs; addrs[len(addrs)-1] != netip.IPv6Loopback() {
		t.Errorf("the host's addresses are %v, want ::1 as the last one", addrs)
	}
}

// A host whose interface is a TUN device is recorded as any other.
func TestTUN(t *testing.T) {
	t.Parallel()
	lab := netlab.New(t)
	if err := netlab.TUNAvailable(); err != nil {
		t.Skip(err)
	}
	client, server := lab.TUNPair()
	rec := Record(t, Config{}, client.Host)
	fd := half(t, client.Host, netip.MustParseAddrPort(server.Addr()+":8080"))
	source := localOf(t, fd)
	evidence := rec.Stop()
	if sent, received := sentAndReceived(evidence.Hosts[0]); sent != 1 || received != 0 {
		t.Fatalf("%d segments sent and %d received, want 1 and 0", sent, received)
	}
	for _, p := range evidence.Hosts[0].Packets {
		if s, ok := scenario.ReadSegment(p.Data); ok && s.Source != source {
			t.Errorf("the SYN is from %v, want %v", s.Source, source)
		}
	}
}

// Packets are in order of their times, which count from the start, at most to the end.
func TestTimes(t *testing.T) {
	t.Parallel()
	client, server := pair(t)
	listen(t, server, server.Addr()+":8080", 50)
	before := time.Now()
	rec := Record(t, Config{}, client, server)
	if start := rec.Start(); start.Before(before) || start.After(time.Now()) {
		t.Errorf("start is %v, want it between %v and now", start, before)
	}
	dial(t, client, server.Addr()+":8080", 50)
	evidence := rec.Stop()
	for _, w := range evidence.Hosts {
		last, end := time.Duration(0), w.Counters[len(w.Counters)-1].At
		for i, p := range w.Packets {
			if p.At < last || p.At > end {
				t.Errorf("host %s: packet %d is at %v, want %v to %v", w.Host, i, p.At, last, end)
			}
			last = p.At
		}
	}
	// A packet leaves one host before it reaches the other.
	for i, p := range evidence.Hosts[1].Packets {
		if q := evidence.Hosts[0].Packets[i]; bytes.Equal(p.Data, q.Data) {
			s, ok := scenario.ReadSegment(p.Data)
			if fromClient := s.Source.Addr() == netip.MustParseAddr(client.Addr()); ok && fromClient && p.At < q.At {
				t.Errorf("packet %d was received at %v and sent at %v", i, p.At, q.At)
			}
		}
	}
}
