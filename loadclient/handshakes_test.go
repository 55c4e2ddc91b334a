package loadclient_test

import (
	"sync"
	"testing"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab/scenario"
	"golang.org/x/sys/unix"
)

// A handshake whose last ACK meets a full accept queue is reset, with tcp_abort_on_overflow
// set. Here the listener takes nothing but SYNs until 50 clients believe to be connected.
// Its queue, which has one connection in it, is made full by another listen(2), and then
// what the clients repeat reaches it.
func TestResetAfterTheHandshake(t *testing.T) {
	withEngines(t, func(t *testing.T, engine loadclient.Engine) {
		l := newLab(t)
		l.host.Sysctl("net.ipv4.tcp_abort_on_overflow", "1")
		first, err := l.near.DialContext(t.Context(), "tcp", l.ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer first.Close()
		await(t, "the accept queue to hold 1", func() bool { return l.queued(t) == 1 })
		control(t, l.ln, onlySYNs)
		before := l.host.Counters()
		var result loadclient.Result
		var running sync.WaitGroup
		t.Cleanup(running.Wait)
		running.Go(func() {
			var err error
			if result, err = loadclient.Run(t.Context(), l.place(engine, loadclient.Config{Clients: 50})); err != nil {
				t.Errorf("Run() = %v", err)
			}
		})
		await(t, "50 clients in the SYN queue", func() bool { return len(l.host.SYNQueue(port)) == 50 })
		control(t, l.ln, func(fd int) error { return unix.Listen(fd, 0) })
		control(t, l.ln, func(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0) })
		running.Wait()
		checkAll(t, result, scenario.Reset)
		for _, c := range result.Clients {
			if c.TCP.BytesAcked != 1 || c.ErrnoName() != "ECONNRESET" || c.Connected == 0 {
				t.Errorf("client %d: %+v, want ECONNRESET on a connection with only its SYN acknowledged", c.Number, c)
			}
		}
		confirmed, err := loadclient.Confirm(result, nil, l.host.Counters().Since(before))
		if want := (loadclient.Confirmation{Overflowed: 50}); err != nil || confirmed != want {
			t.Errorf("the server confirms %+v, %v, want %+v", confirmed, err, want)
		}
	})
}

// A client whose ACKs never reach the listener believes to be connected.
func TestGhostOrKept(t *testing.T) {
	withEngines(t, func(t *testing.T, engine loadclient.Engine) {
		l := newLab(t)
		control(t, l.ln, onlySYNs)
		result := l.run(t, engine, loadclient.Config{Clients: 50, Timeout: short})
		checkAll(t, result, scenario.GhostOrKept)
		for _, c := range result.Clients {
			if c.TCP.BytesAcked != 1 || c.TCP.State != unix.BPF_TCP_ESTABLISHED || c.Connected == 0 {
				t.Errorf("client %d: %+v, want it ESTABLISHED and only its SYN acknowledged", c.Number, c)
			}
		}
		if got := len(l.host.SYNQueue(port)); got != 50 {
			t.Errorf("%d connections are half open at the server, want 50", got)
		}
	})
}

// onlySYNs attaches a filter that takes a segment only if the flags in its TCP header are
// SYN alone: load byte 13, go on if it is 2, else take nothing.
func onlySYNs(fd int) error {
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 13},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: 2},
		{Code: unix.BPF_RET | unix.BPF_K, K: 1 << 16},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
	}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
}

// A client whose SYN is not answered repeats it after 1 s.
func TestSYNRetriesAtAFullAcceptQueue(t *testing.T) {
	withEngines(t, func(t *testing.T, engine loadclient.Engine) {
		server := listen(t, loopback)
		server.fill(t)
		result := run(t, loadclient.Config{Engine: engine, Target: server.target(), Clients: 10, Timeout: 1500 * ms})
		checkSYNRetries(t, result, 1)
		for _, c := range result.Clients {
			if c.Local.Port() == 0 || c.Connected != 0 || c.TCP.State != unix.BPF_TCP_SYN_SENT {
				t.Errorf("client %d: local %v, connected %v, state %d, want a port, never, SYN_SENT", c.Number, c.Local, c.Connected, c.TCP.State)
			}
		}
	})
}

// A client whose SYNs are not answered repeats them, and then its kernel gives up.
func TestSYNUnanswered(t *testing.T) {
	withEngines(t, func(t *testing.T, engine loadclient.Engine) {
		l := newLab(t)
		l.client.Sysctl("net.ipv4.tcp_syn_retries", "1")
		l.fill(t)
		result := l.run(t, engine, loadclient.Config{Clients: 10})
		checkAll(t, result, scenario.SYNDropped)
		syns := uint32(0)
		for _, c := range result.Clients {
			if syns += 1 + c.TCP.SYNRetries; c.TCP.SYNRetries == 0 {
				t.Errorf("client %d repeated no SYN", c.Number)
			}
			if c.ErrnoName() != "ETIMEDOUT" || c.Phase != loadclient.PhaseDial || c.Local.Port() == 0 || c.Connected != 0 {
				t.Errorf("client %d: %+v, want ETIMEDOUT in dial, with a port, never connected", c.Number, c)
			}
		}
		if got := l.drops(t); got != syns {
			t.Errorf("the listener has dropped %d SYNs, and the clients say that they sent %d", got, syns)
		}
	})
}

func TestUnreachable(t *testing.T) {
	withEngines(t, func(t *testing.T, engine loadclient.Engine) {
		result := newLab(t).run(t, engine, loadclient.Config{Target: "http://203.0.113.1/", Clients: 50})
		checkAll(t, result, scenario.Unreachable)
		for _, c := range result.Clients {
			if c.ErrnoName() != "ENETUNREACH" || c.Phase != loadclient.PhaseDial {
				t.Errorf("client %d failed in %v with %s, want ENETUNREACH in dial", c.Number, c.Phase, c.ErrnoName())
			}
		}
	})
}

// Ten ports are enough for ten clients, and the other forty fail on their own machine.
func TestNoPortIsLeft(t *testing.T) {
	withEngines(t, func(t *testing.T, engine loadclient.Engine) {
		l := newLab(t)
		l.client.Sysctl("net.ipv4.ip_local_port_range", "20000 20009")
		l.serve(closing(answering(okAnswer)))
		result := l.run(t, engine, loadclient.Config{Clients: 50})
		if result.Fates[scenario.Served] != 10 || result.Fates[scenario.LocalError] != 40 {
			t.Errorf("%v, want served 10, local_error 40", result)
		}
		for _, c := range result.Clients {
			if c.Fate == scenario.LocalError && (c.ErrnoName() != "EADDRNOTAVAIL" || c.Phase != loadclient.PhaseDial) {
				t.Errorf("client %d failed in %v with %s, want EADDRNOTAVAIL in dial", c.Number, c.Phase, c.ErrnoName())
			}
		}
		l.checkAccepted(t, 10)
	})
}
