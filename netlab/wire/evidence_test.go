package wire

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// Two clients wait in the queue from 150 ms on, and the listener closes at 400 ms. A
// wire that records reads everything at the start, whenever the clock moves on, and at
// the end; the next play begins afresh.
func TestEvidence(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	s := scenario.Defaults()
	s.Arrivals, s.Accept.Mode = scenario.Arrivals{{Clients: 2}}, scenario.AcceptNever
	s.RTT, s.Backlog, s.CloseListener = rtt, 2, new(400*time.Millisecond)
	for _, records := range []bool{false, true, true} {
		if records {
			w.Record()
		}
		_, err := w.Play(s)
		must(t, err)
		e := w.Evidence()
		if len(e.Hosts) != 2 {
			t.Fatalf("%d hosts are witnesses, want 2", len(e.Hosts))
		}
		client, server := e.Hosts[0], e.Hosts[1]
		checkPackets(t, client, "client [198.18.0.1 2001:2::1]", "0s S 0s S 100ms S. 100ms S. 100ms . 100ms . 450ms R. 450ms R.")
		checkPackets(t, server, "server [198.18.0.2 2001:2::2]", "50ms S 50ms S 50ms S. 50ms S. 150ms . 150ms . 400ms R. 400ms R.")
		if records {
			checkSamples(t, client, server)
		} else if server.Counters != nil || server.Queues != nil || server.Sysctls != nil {
			t.Errorf("a wire that does not record has witnessed %+v", server)
		}
	}
}

// checkPackets compares a witness's name, addresses and packets with what is wanted.
func checkPackets(t *testing.T, host scenario.Witnessed, name, want string) {
	t.Helper()
	var got []string
	for _, p := range host.Packets {
		s, _ := (&Packet{Data: p.Data}).Segment()
		got = append(got, fmt.Sprint(p.At, " ", s.Flags))
		if p.Length != len(p.Data) {
			t.Errorf("host %s has a packet of %d bytes in %d", host.Host, p.Length, len(p.Data))
		}
	}
	if got := strings.Join(got, " "); got != want {
		t.Errorf("host %s saw %s, want %s", host.Host, got, want)
	}
	if got := fmt.Sprint(host.Host, " ", host.Addrs); got != name {
		t.Errorf("the witness is %s, want %s", got, name)
	}
}

func checkSamples(t *testing.T, client, server scenario.Witnessed) {
	t.Helper()
	for _, host := range []scenario.Witnessed{client, server} {
		var times []string
		for _, c := range host.Counters {
			times = append(times, c.At.String())
		}
		if got, want := strings.Join(times, " "), "0s 0s 50ms 100ms 150ms 400ms 450ms"; got != want {
			t.Errorf("host %s was read at %s, want %s", host.Host, got, want)
		}
		if got := host.Sysctls["net.core.somaxconn"]; got != "4096" {
			t.Errorf("host %s has somaxconn %q, want 4096", host.Host, got)
		}
	}
	if got := server.Moved()["PassiveOpens"]; got != 2 {
		t.Errorf("PassiveOpens moved by %d at the server, want 2", got)
	}
	if client.Queues != nil {
		t.Errorf("the client has listeners %v, want none", client.Queues)
	}
	var queue []string
	for _, q := range server.Queues {
		text := fmt.Sprintf("%v %d of %d", q.At, q.Length, q.Limit)
		if q.Gone {
			text += " gone"
		}
		queue = append(queue, text)
		if q.Listener.Addr() != netip.MustParseAddr("198.18.0.2") || q.Inode == 0 || q.Inode != server.Queues[0].Inode || q.SYNQueue != -1 {
			t.Errorf("sample of a queue %+v, want one listener's", q)
		}
	}
	if want := []string{"0s 0 of 2", "0s 0 of 2", "50ms 0 of 2", "100ms 0 of 2", "150ms 2 of 2", "400ms 2 of 2 gone"}; !slices.Equal(queue, want) {
		t.Errorf("the accept queue was %q, want %q", queue, want)
	}
}
