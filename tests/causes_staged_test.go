package tests

import (
	"net"
	"sync/atomic"
	"testing"

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
func stageFirstACKLost(t *testing.T) staged {
	s := newScene(t, t)
	s.w.Server.Sysctl(abortKey, "1")
	var lost atomic.Bool
	s.w.Drop(func(p *wire.Packet) bool { return fromClient(p, scenario.ACK) && lost.CompareAndSwap(false, true) })
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
func stageCookieACKLost(t *testing.T) staged {
	s := newScene(t, t)
	s.w.Server.Sysctl("net.ipv4.tcp_syncookies", "2")
	dropped := s.w.Drop(func(p *wire.Packet) bool { return fromClient(p, scenario.ACK) })
	s.listen(16)
	s.start()
	s.dial()
	s.until("the ACK is lost", func() bool { return dropped.Count() == 1 })
	return s.stop()
}

// Two members share a port, and one of them is closed with its queue.
func stageMemberClosed(t *testing.T) staged {
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

func stageLingerZero(t *testing.T) staged {
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

func stageUnreadData(t *testing.T) staged {
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
func readable(t *testing.T, conn *net.TCPConn) (some bool) {
	t.Helper()
	onSocket(t, conn, func(fd int) error {
		n, err := unix.IoctlGetInt(fd, unix.SIOCINQ)
		some = n > 0
		return err
	})
	return some
}

func stageWriteAfterClose(t *testing.T) staged {
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
func stageKeepAliveRace(t *testing.T) staged {
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
func stageInjectedRST(t *testing.T) staged {
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

// The listener waits for the first byte, and a client that sends none is accepted with
// the repeated SYN-ACK.
func stageDeferAccept(t *testing.T) staged {
	s := newScene(t, t)
	ln := s.listen(16)
	onSocket(t, ln, func(fd int) error { return setOptions(fd, option{unix.TCP_DEFER_ACCEPT, 1}) })
	s.start()
	s.dial()
	s.accept(ln)
	return s.stop()
}
