package wire_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/rstlab/rstlab/netlab/wire"
	"golang.org/x/sys/unix"
)

// The labs of these examples need a test, here played by t, and privileges; so the
// examples are compiled and not run.
var t *testing.T

func ExampleNew() {
	w := wire.New(t)
	w.SetRTT(100 * time.Millisecond)
	w.At(time.Second, func() error { return nil })
	if err := w.Run(); err != nil {
		t.Fatal(err)
	}
	fmt.Println(w.Now()) // 1s, and next to none of real time
}

// The ACK that completes a handshake comes late: until then the client has a
// connection, and the server has not.
func ExampleWire_Hold() {
	w := wire.New(t)
	ln, err := w.Server.Listen("tcp", ":8080", 16)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client := socketOf(w)
	defer unix.Close(client)

	acks := w.Hold(func(p *wire.Packet) bool { return p.From == wire.Client && p.Is(scenario.ACK) })
	w.At(0, func() error {
		err := unix.Connect(client, &unix.SockaddrInet4{Addr: w.Server.Addrs()[0].As4(), Port: 8080})
		if errors.Is(err, unix.EINPROGRESS) {
			return nil
		}
		return err
	})
	if err := w.Run(); err != nil {
		t.Fatal(err)
	}
	fmt.Println(acks.Count(), w.Server.AcceptQueue(8080).Length) // 1 0

	w.Release(acks)
	if err := w.Run(); err != nil {
		t.Fatal(err)
	}
	fmt.Println(acks.Count(), w.Server.AcceptQueue(8080).Length) // 1 1
}

// socketOf opens a socket in the client's host. It is non-blocking, since nothing
// arrives before Run.
func socketOf(w *wire.Wire) int {
	fd := -1
	err := w.Client.Do(func() (err error) {
		fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

// 400 clients come at once to a server that accepts one in ten milliseconds.
func ExampleWire_Play() {
	w := wire.New(t)
	s := scenario.Defaults()
	s.Arrivals = scenario.Arrivals{{Clients: 400}}
	s.RTT, s.Backlog, s.AbortOnOverflow = 100*time.Millisecond, 128, true
	s.Accept = scenario.Accept{Mode: scenario.AcceptEvery, Every: 10 * time.Millisecond}
	o, err := w.Play(s)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(o.Fates, o.Server["ListenOverflows"])
	for _, p := range w.Packets() {
		if p.Is(scenario.RST) {
			fmt.Println(p)
		}
	}
}

// A link with a round trip of 50 ms that loses every tenth packet of the server's, for
// programs that know nothing of it.
func ExampleWire_GoLive() {
	w := wire.New(t)
	w.SetRTT(50 * time.Millisecond)
	sent := 0
	w.Drop(func(p *wire.Packet) bool {
		if p.From == wire.Server {
			sent++
		}
		return p.From == wire.Server && sent%10 == 0
	})
	stop := w.GoLive()
	// ... w.Client.DialContext, w.Server.Listen and all that is built on them ...
	stop()
}

// Without a TUN device, bursts can be played all the same.
func ExamplePlug_Play() {
	p := wire.NewPlug(t)
	s := scenario.Defaults()
	s.Arrivals = scenario.Arrivals{{Clients: 400}}
	s.RTT, s.Backlog, s.AbortOnOverflow = 100*time.Millisecond, 128, true
	s.Accept.Mode = scenario.AcceptNever
	o, err := p.Play(s)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(o.Fates)
}

// The plug stands for a long way: all handshakes are under way at once. Programs of the
// test, or others, run on its hosts as on any.
func ExamplePlug_Hold() {
	const ipv6 = false
	p := wire.NewPlug(t) // a lab starts with it held
	ln, err := p.Server.Listen("tcp", ":8080", 16)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if err := p.Release(ipv6); err != nil {
		t.Fatal(err)
	}
	// ... connections that fill the queue ...
	if err := p.Hold(ipv6); err != nil {
		t.Fatal(err)
	}
	// ... clients connect, in goroutines of their own, until p.Server.SYNQueue(8080) has them ...
	if err := p.Release(ipv6); err != nil {
		t.Fatal(err)
	}
}

// The evidence of a play, for diagnose or a page.
func ExampleWire_Evidence() {
	w := wire.New(t)
	w.Record() // counters and queues too
	s := scenario.Defaults()
	s.Arrivals = scenario.Arrivals{{Clients: 40}}
	s.RTT, s.Backlog, s.Accept.Mode = 100*time.Millisecond, 16, scenario.AcceptNever
	if _, err := w.Play(s); err != nil {
		t.Fatal(err)
	}
	for _, host := range w.Evidence().Hosts {
		fmt.Println(host.Host, len(host.Packets), host.Moved().Only("ListenOverflows"))
	}
}
