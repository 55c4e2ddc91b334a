package wire

import (
	"context"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
	"golang.org/x/sys/unix"
)

// A played client waits a minute before it repeats data, since a play must not depend
// on how fast the machine is. In real time it is as impatient as any.
func TestPatience(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	s := scenario.Defaults()
	s.Arrivals, s.Accept.Mode = scenario.Arrivals{{Clients: 1}}, scenario.AcceptNow
	play := func() {
		_, err := w.Play(s)
		must(t, err)
	}
	live := func() {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		must(t, w.Live(ctx))
	}
	for _, c := range []struct {
		after   string
		do      func()
		patient bool
	}{
		{"making the wire", func() {}, false},
		{"a play", play, true},
		{"a second play", play, true},
		{"living", live, false},
		{"living again", live, false},
		{"a third play", play, true},
	} {
		c.do()
		for _, ipv6 := range []bool{false, true} {
			if got := dataTimeout(t, w, ipv6); got >= time.Minute != c.patient || got < time.Minute && got >= time.Second {
				t.Errorf("after %s data is repeated after %v (IPv6 %v), want a minute: %v", c.after, got, ipv6, c.patient)
			}
		}
	}
}

// dataTimeout connects a client, and tells after what time it would repeat data.
func dataTimeout(t *testing.T, w *Wire, ipv6 bool) time.Duration {
	t.Helper()
	all := open(t, &w.hosts, 1, ipv6)
	must(t, all.connect(0))
	must(t, w.Run())
	info, err := unix.GetsockoptTCPInfo(all.clients[0], unix.IPPROTO_TCP, unix.TCP_INFO)
	must(t, err)
	return time.Duration(info.Rto) * time.Microsecond
}
