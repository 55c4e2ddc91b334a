package tests

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/diagnose"
	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/rstlab/rstlab/netlab/wire"
	"github.com/rstlab/rstlab/servers"
	"golang.org/x/sys/unix"
)

// stagedCauses need programs that do something particular, or a wire that does.
func stagedCauses() []cause {
	return []cause{
		{2, diagnose.AcceptOverflowRetry, 1, "ECONNRESET", stageFirstACKLost},
		{6, diagnose.CookieACKLost, 1, "", stageCookieACKLost},
		{12, diagnose.MemberClosed, asCounted, "", stageMemberClosed},
		{13, diagnose.LingerZero, 1, "ECONNRESET", stageLingerZero},
		{14, diagnose.UnreadData, 1, "ECONNRESET", stageUnreadData},
		{15, diagnose.WriteAfterClose, 1, "EPIPE", stageWriteAfterClose},
		{16, diagnose.KeepAliveRace, 1, "", stageKeepAliveRace},
		{22, diagnose.InjectedRST, 1, "ECONNRESET", stageInjectedRST},
		{23, diagnose.TimeWaitReuse, 1, "", stageTimeWaitReuse},
		{24, diagnose.DeferAccept, 1, "", stageDeferAccept},
		{25, diagnose.FastOpenClosed, 1, "ECONNRESET", stageFastOpenClosed},
		{27, diagnose.UserTimeout, 1, "ETIMEDOUT", stageUserTimeout},
	}
}

// The first client's ACK is lost; the second one fills the queue; the first SYN-ACK
// comes again after a second, and its answer is reset.
func stageFirstACKLost(t *testing.T) scenario.Evidence {
	s := newScene(t, t)
	s.w.Server.Sysctl(abortKey, "1")
	var lost atomic.Bool
	s.w.Drop(func(p *wire.Packet) bool { return fromClient(p, wire.ACK) && lost.CompareAndSwap(false, true) })
	s.listen(0)
	s.start()
	first := s.dial()
	s.dial()
	s.queued(1)
	s.read(first)
	return s.stop()
}

// The server answers with a SYN cookie, would speak first, and never learns of the
// client.
func stageCookieACKLost(t *testing.T) scenario.Evidence {
	s := newScene(t, t)
	s.w.Server.Sysctl("net.ipv4.tcp_syncookies", "2")
	dropped := s.w.Drop(func(p *wire.Packet) bool { return fromClient(p, wire.ACK) })
	s.listen(16)
	s.start()
	s.dial()
	s.until("the ACK is lost", func() bool { return dropped.Count() == 1 })
	return s.stop()
}

// Two members share a port, and one of them is closed with its queue.
func stageMemberClosed(t *testing.T) scenario.Evidence {
	const clients = 12
	s := newScene(t, t)
	members, err := servers.ListenMembers(t.Context(), s.w.Server.ListenConfig(), "tcp4", s.target(), 2)
	fatal(t, err)
	defer members[1].Close()
	defer members[0].Close()
	s.start()
	for range clients {
		s.dial()
	}
	lengths := func() (sum uint32) {
		for _, q := range s.w.Server.AcceptQueues() {
			sum += q.Length
		}
		return sum
	}
	s.until("everybody is queued", func() bool { return lengths() == clients })
	resets := s.w.Server.Counters()["OutRsts"]
	fatal(t, members[0].Close())
	resets = s.w.Server.Counters()["OutRsts"] - resets
	s.until("the reset ones know", func() bool { return s.w.Client.Counters()["EstabResets"] == resets })
	return s.stop()
}

func stageLingerZero(t *testing.T) scenario.Evidence {
	s := newScene(t, t)
	ln := s.listen(16)
	s.start()
	client := s.dial()
	server := s.accept(ln)
	fatal(t, server.SetLinger(0))
	fatal(t, server.Close())
	s.read(client)
	return s.stop()
}

func stageUnreadData(t *testing.T) scenario.Evidence {
	s := newScene(t, t)
	ln := s.listen(16)
	s.start()
	client := s.dial()
	s.write(client, "a request that nobody reads")
	server := s.accept(ln)
	s.until("the data has arrived", func() bool { return readable(t, server) })
	fatal(t, server.Close())
	s.read(client)
	return s.stop()
}

// readable tells whether a socket has data that were not read.
func readable(t *testing.T, conn *net.TCPConn) bool {
	t.Helper()
	raw, err := conn.SyscallConn()
	fatal(t, err)
	n := 0
	fatal(t, raw.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), unix.SIOCINQ) }))
	fatal(t, err)
	return n > 0
}

func stageWriteAfterClose(t *testing.T) scenario.Evidence {
	s := newScene(t, t)
	ln := s.listen(16)
	s.start()
	client := s.dial()
	fatal(t, s.accept(ln).Close())
	s.receive(client, 0)
	_, err := client.Read(make([]byte, 1)) // EOF
	if err == nil {
		t.Fatal("the server closed, and the client reads on")
	}
	s.write(client, "x")
	s.until("the RST has come", func() bool { return s.w.Client.Counters()["EstabResets"] == 1 })
	_, err = client.Write([]byte("x"))
	s.note(client.LocalAddr().(*net.TCPAddr).AddrPort(), "write", err)
	return s.stop()
}

// The server closes an idle connection while the next request is under way.
func stageKeepAliveRace(t *testing.T) scenario.Evidence {
	const request, answer = "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"
	s := newScene(t, t)
	ln := s.listen(16)
	s.start()
	client := s.dial()
	server := s.accept(ln)
	s.write(client, request)
	s.receive(server, len(request))
	s.write(server, answer)
	s.receive(client, len(answer))
	fatal(t, server.Close()) // its FIN is half a round trip away
	s.write(client, request)
	s.read(client) // the FIN was faster than the RST
	s.until("the RST has come", func() bool { return s.w.Client.Counters()["EstabResets"] == 1 })
	return s.stop()
}

// Somebody in between answers the client's first data with a RST of the server's.
func stageInjectedRST(t *testing.T) scenario.Evidence {
	s := newScene(t, t)
	ln := s.listen(16)
	var injected atomic.Bool
	s.w.Drop(func(p *wire.Packet) bool {
		if p.From == wire.Client && hasPayload(p) && injected.CompareAndSwap(false, true) {
			s.w.Inject(wire.Server, resetFor(t, p))
		}
		return false
	})
	s.start()
	client := s.dial()
	s.accept(ln)
	s.write(client, "hello")
	s.read(client)
	s.counted(s.w.Server, "EstabResets", 1) // its ACK found nobody at the client's
	return s.stop()
}

func hasPayload(p *wire.Packet) bool {
	seg, ok := p.Segment()
	return ok && seg.Payload > 0
}

// A client comes back with the port of a connection that the server has in TIME_WAIT,
// and with an initial sequence number before its end. Without timestamps the server
// asks, and the client answers that it knows of nothing.
func stageTimeWaitReuse(t *testing.T) scenario.Evidence {
	s := newScene(t, t)
	s.w.Server.Sysctl("net.ipv4.tcp_timestamps", "0")
	s.w.Client.Sysctl("net.ipv4.tcp_timestamps", "0")
	ln := s.listen(16)
	s.start()
	const isn = 1_000_000_000
	first := dialFrom(t, s, 40000, isn)
	server := s.accept(ln)
	fatal(t, server.Close()) // the server closes first, and keeps TIME_WAIT
	s.read(first)
	s.clients = nil // EOF is what it should be told
	fatal(t, first.Close())
	// SYN-ACK, FIN, and the ACK of its own FIN: its socket is gone.
	s.until("the client has nothing left", func() bool { return s.w.Client.Counters()["InSegs"] == 3 })
	second := dialFrom(t, s, 40000, isn-1000)
	defer second.Close()
	return s.stop()
}

// dialFrom connects from a port with an initial sequence number of the caller's
// choice, which TCP_REPAIR sets (tcp_v4_connect keeps what is not zero).
func dialFrom(t *testing.T, s *scene, port, isn int) *net.TCPConn {
	t.Helper()
	dialer := s.w.Client.Dialer()
	dialer.LocalAddr = &net.TCPAddr{IP: s.w.Client.Addrs()[0].AsSlice(), Port: port}
	control := dialer.Control
	dialer.Control = func(network, address string, raw rawConn) error {
		if err := control(network, address, raw); err != nil {
			return err
		}
		var err error
		cerr := raw.Control(func(fd uintptr) {
			for _, option := range []struct{ name, value int }{{unix.TCP_REPAIR, 1}, {unix.TCP_REPAIR_QUEUE, 2}, {unix.TCP_QUEUE_SEQ, isn}, {unix.TCP_REPAIR, 0}} {
				if err == nil {
					err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, option.name, option.value)
				}
			}
		})
		if cerr != nil {
			return cerr
		}
		return err
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, err := dialer.DialContext(ctx, "tcp4", s.target())
	fatal(t, err)
	return conn.(*net.TCPConn)
}

// The listener waits for the first byte, and a client that sends none is accepted with
// the repeated SYN-ACK.
func stageDeferAccept(t *testing.T) scenario.Evidence {
	s := newScene(t, t)
	ln := s.listen(16)
	raw, err := ln.SyscallConn()
	fatal(t, err)
	fatal(t, raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 1) }))
	fatal(t, err)
	s.start()
	s.dial()
	s.accept(ln)
	return s.stop()
}

// The SYN carries data, and the listener is closed before it is accepted.
func stageFastOpenClosed(t *testing.T) scenario.Evidence {
	s := newScene(t, t)
	s.w.Client.Sysctl("net.ipv4.tcp_fastopen", "5")    // client, without a cookie
	s.w.Server.Sysctl("net.ipv4.tcp_fastopen", "1538") // server, without a cookie, on every listener
	ln := s.listen(16)
	s.start()
	dialer := s.w.Client.Dialer()
	control := dialer.Control
	dialer.Control = func(network, address string, raw rawConn) error {
		if err := control(network, address, raw); err != nil {
			return err
		}
		var err error
		cerr := raw.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_FASTOPEN_CONNECT, 1)
		})
		if cerr != nil {
			return cerr
		}
		return err
	}
	conn, err := dialer.DialContext(t.Context(), "tcp4", s.target())
	fatal(t, err)
	defer conn.Close()
	client := conn.(*net.TCPConn)
	fatal(t, client.SetDeadline(time.Now().Add(patience)))
	s.write(client, "x") // this sends the SYN
	s.queued(1)
	s.until("the handshake is over", func() bool {
		return s.w.Server.Counters()["TCPFastOpenPassive"] == 1 && len(s.w.Server.Connections(frontPort)) == 1
	})
	fatal(t, ln.Close())
	s.read(client)
	return s.stop()
}

// Nothing that the client sends arrives any more, and its kernel gives up.
func stageUserTimeout(t *testing.T) scenario.Evidence {
	s := newScene(t, t)
	ln := s.listen(16)
	var cut atomic.Bool
	s.w.Drop(func(p *wire.Packet) bool { return cut.Load() && p.From == wire.Client })
	s.start()
	client := s.dial()
	server := s.accept(ln)
	s.write(client, "x")
	s.receive(server, 1)
	raw, err := client.SyscallConn()
	fatal(t, err)
	fatal(t, raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 1500)
	}))
	fatal(t, err)
	s.until("the byte is acknowledged", func() bool { return unacked(t, client) == 0 })
	cut.Store(true)
	s.write(client, "y")
	s.read(client)
	return s.stop()
}

// unacked is how many segments of a connection were not acknowledged.
func unacked(t *testing.T, conn *net.TCPConn) uint32 {
	t.Helper()
	raw, err := conn.SyscallConn()
	fatal(t, err)
	var info *unix.TCPInfo
	fatal(t, raw.Control(func(fd uintptr) { info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) }))
	fatal(t, err)
	return info.Unacked
}
