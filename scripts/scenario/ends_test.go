package main

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab/scenario"
)

func TestFateAtBothEnds(t *testing.T) {
	t.Parallel()
	accepted, queued, half, lost := netip.MustParseAddrPort("198.18.0.1:1"), netip.MustParseAddrPort("198.18.0.1:2"),
		netip.MustParseAddrPort("198.18.0.1:3"), netip.MustParseAddrPort("198.18.0.1:4")
	e := ends{
		accepted: map[netip.AddrPort]bool{accepted: true}, connected: []netip.AddrPort{accepted, queued}, halves: []netip.AddrPort{half, lost},
	}
	mapped := netip.AddrPortFrom(netip.AddrFrom16(queued.Addr().As16()), queued.Port())
	six := netip.MustParseAddrPort("[2001:2::1]:2")
	const dialing, connected = 0, time.Millisecond
	for _, test := range []struct {
		name      string
		fate      scenario.Fate
		connected time.Duration
		local     netip.AddrPort
		want      scenario.Fate
	}{
		{"answered", scenario.Served, connected, accepted, scenario.Served},
		{"reset before it was accepted", scenario.Reset, connected, queued, scenario.Reset},
		{"reset after it was accepted", scenario.Reset, connected, accepted, scenario.Reset},
		{"reset after its request", scenario.ResetAfterRequest, connected, queued, scenario.Reset},
		{"refused", scenario.Refused, dialing, netip.AddrPort{}, scenario.Refused},
		{"accepted and not answered yet", scenario.Failed, connected, accepted, scenario.Served},
		{"no connect", scenario.Failed, dialing, netip.AddrPort{}, scenario.SYNDropped},
		{"no connect, and half open at the server", scenario.SYNDropped, dialing, half, scenario.SYNDropped},
		{"queued", scenario.Failed, connected, queued, scenario.Queued},
		{"queued, address told as IPv6", scenario.Failed, connected, mapped, scenario.Queued},
		{"half open", scenario.Failed, connected, half, scenario.Kept},
		{"half open, timed out", scenario.GhostOrKept, connected, half, scenario.Kept},
		{"nothing at the server", scenario.Failed, connected, six, scenario.Ghost},
		{"closed", scenario.Closed, connected, six, scenario.Ghost},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := loadclient.Client{Fate: test.fate, Connected: test.connected, Local: test.local}
			if got := e.fate(c); got != test.want {
				t.Errorf("fate(%v, connected %v, local %v) = %v, want %v", test.fate, test.connected, test.local, got, test.want)
			}
		})
	}
}

// patient is one end of a pipe as a patientConn, and the other end.
func patient(write *time.Duration) (*patientConn, net.Conn) {
	near, far := net.Pipe()
	return &patientConn{Conn: near, begin: time.Now(), write: write, closed: make(chan struct{})}, far
}

func TestPatientConnWaits(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name           string
		write, pause   time.Duration // of the scenario, and from the connect to the call
		first, another time.Duration // when the writes are through, since the connect
	}{
		{"at once", 0, 0, 0, 0},
		{"later", 20 * time.Millisecond, 0, 20 * time.Millisecond, 20 * time.Millisecond},
		{"some of it over", 20 * time.Millisecond, 15 * time.Millisecond, 20 * time.Millisecond, 20 * time.Millisecond},
		{"all of it over", 20 * time.Millisecond, time.Second, time.Second, time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, far := patient(&test.write)
				defer c.Close()
				go func() { _, _ = io.Copy(io.Discard, far) }()
				<-time.After(test.pause)
				for _, want := range []time.Duration{test.first, test.another} {
					n, err := c.Write([]byte("GET"))
					if took := time.Since(c.begin); n != 3 || err != nil || took != want {
						t.Errorf("Write() = %d, %v after %v, want 3, <nil> after %v", n, err, took, want)
					}
				}
			})
		})
	}
}

// What a client never writes does not reach the server, and Close ends the wait.
func TestPatientConnCloses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		write *time.Duration
	}{
		{"never", nil},
		{"later than the close", new(time.Hour)},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, far := patient(test.write)
				time.AfterFunc(10*time.Millisecond, func() {
					if err := errors.Join(c.Close(), c.Close()); err != nil {
						t.Errorf("Close() twice = %v", err)
					}
				})
				n, err := c.Write([]byte("GET"))
				if took := time.Since(c.begin); n != 0 || !errors.Is(err, net.ErrClosed) || took != 10*time.Millisecond {
					t.Errorf("Write() = %d, %v after %v, want 0, %v after 10ms", n, err, took, net.ErrClosed)
				}
				if got, err := io.ReadAll(far); len(got) != 0 || err != nil {
					t.Errorf("the server read %q, %v, want nothing", got, err)
				}
				if n, err := c.Write([]byte("GET")); n != 0 || !errors.Is(err, net.ErrClosed) {
					t.Errorf("Write() after Close() = %d, %v, want 0, %v", n, err, net.ErrClosed)
				}
			})
		})
	}
}
