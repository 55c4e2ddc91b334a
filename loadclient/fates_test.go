package loadclient_test

import (
	"bufio"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// fateRow is a server in a lab and what becomes of its 50 clients.
type fateRow struct {
	name     string
	prepare  func(t *testing.T, l *lab)
	requests int
	short    bool // the clients' time ends while they wait
	want     scenario.Fate
	phase    loadclient.Phase
	errno    string
	acked    uint64 // tcpi_bytes_acked; 1 is the SYN, 99 the SYN and all that was sent, 50 half of that
	accepted int64
}

// served prepares a server that accepts.
func served(handle func(*net.TCPConn)) func(*testing.T, *lab) {
	return func(_ *testing.T, l *lab) { l.serve(handle) }
}

// The fates that a server can bring about. Those that come of a handshake are in
// handshakes_test.go.
func fateRows() []fateRow {
	return []fateRow{
		{"served", served(closing(answering(okAnswer))), 1, false, scenario.Served, 0, "", 99, 50},
		{"served three times", served(closing(answering(okAnswer))), 3, false, scenario.Served, 0, "", 99, 50},
		{"served with the end of the stream", served(closing(answeringOnce("HTTP/1.0 200 OK\r\n\r\nok"))), 1, false, scenario.Served, 0, "", 99, 50},
		{"refused", func(_ *testing.T, l *lab) { l.stop() }, 1, false, scenario.Refused, loadclient.PhaseDial, "ECONNREFUSED", 0, 0},
		{"SYN unanswered at the deadline", func(t *testing.T, l *lab) { l.fill(t) }, 1, true, scenario.SYNDropped, loadclient.PhaseDial, "", 0, 0},
		{"reset after the request", served(resetting(1)), 1, false, scenario.ResetAfterRequest, loadclient.PhaseRead, "ECONNRESET", 99, 50},
		{"reset after an answer", served(resettingAfter(okAnswer)), 2, false, scenario.ResetAfterRequest, loadclient.PhaseRead, "ECONNRESET", 50, 50},
		{"closed unanswered", served(closing(answeringOnce(""))), 1, false, scenario.Closed, loadclient.PhaseRead, "", 99, 50},
		{"close announced too early", served(closing(answeringOnce(closingAnswer))), 2, false, scenario.Closed, loadclient.PhaseRead, "", 99, 50},
		{"closed within the head", served(closing(answeringOnce("HTTP/1.1 200 OK\r\nContent"))), 1, false, scenario.Truncated, loadclient.PhaseRead, "", 99, 50},
		{"closed within the body", served(closing(answeringOnce(twoOfThree))), 1, false, scenario.Truncated, loadclient.PhaseRead, "", 99, 50},
		{"reset within the body", func(t *testing.T, l *lab) { l.serve(l.resettingWithin(t)) }, 1, false,
			scenario.Truncated, loadclient.PhaseRead, "ECONNRESET", 99, 50},
		{"queued", func(*testing.T, *lab) {}, 1, true, scenario.Queued, loadclient.PhaseRead, "", 99, 0},
		{"deadline within the answer", served(closing(func(conn io.ReadWriter) {
			answeringOnce(twoOfThree)(conn)
			silent(conn)
		})), 1, true, scenario.TimedOut, loadclient.PhaseRead, "", 99, 50},
		{"bad status", served(closing(answering(status("502 Bad Gateway", "hop\n")))), 1, false, scenario.BadStatus, loadclient.PhaseAnswer, "", 99, 50},
		{"malformed answer", served(closing(answering("SSH-2.0-x\r\n\r\n"))), 1, false, scenario.Failed, loadclient.PhaseAnswer, "", 99, 50},
	}
}

func TestFates(t *testing.T) {
	withEngines(t, func(t *testing.T, engine loadclient.Engine) {
		for _, row := range fateRows() {
			t.Run(row.name, func(t *testing.T) {
				t.Parallel()
				row.play(t, engine)
			})
		}
	})
}

func (row fateRow) play(t *testing.T, engine loadclient.Engine) {
	l := newLab(t)
	row.prepare(t, l)
	cfg := loadclient.Config{Clients: 50, Requests: row.requests}
	if row.short {
		cfg.Timeout = short
	}
	result := l.run(t, engine, cfg)
	checkAll(t, result, row.want)
	l.checkAccepted(t, row.accepted)
	for _, c := range result.Clients {
		acked := map[uint64]int64{0: 0, 1: 1, 50: 1 + c.Sent/2, 99: 1 + c.Sent}[row.acked]
		if c.Phase != row.phase || c.ErrnoName() != row.errno || c.TCP.BytesAcked != uint64(acked) {
			t.Errorf("client %d: phase %v, errno %q, %d bytes acknowledged of %d, want %v, %q, %d",
				c.Number, c.Phase, c.ErrnoName(), c.TCP.BytesAcked, c.Sent, row.phase, row.errno, acked)
		}
	}
}

// twoOfThree is an answer that lacks its last byte.
const twoOfThree = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok"

// resettingAfter answers one request, reads the next and sends RST.
func resettingAfter(answer string) func(*net.TCPConn) {
	return func(conn *net.TCPConn) {
		requests := bufio.NewReader(conn)
		readRequest(requests)
		io.WriteString(conn, answer)
		readRequest(requests)
		conn.SetLinger(0)
		conn.Close()
	}
}

// resettingWithin sends the start of an answer, waits until the client has read it, and
// sends RST. What it had not read by then would be lost to it.
func (l *lab) resettingWithin(t *testing.T) func(*net.TCPConn) {
	return func(conn *net.TCPConn) {
		readRequest(bufio.NewReader(conn))
		io.WriteString(conn, twoOfThree)
		if !eventually(func() bool { return unacknowledged(t, conn) == 0 && l.unread(t, conn) == 0 }) {
			t.Errorf("client %v has not read the start of the answer", conn.RemoteAddr())
		}
		conn.SetLinger(0)
		conn.Close()
	}
}

// unacknowledged is how many bytes the client's kernel does not have.
func unacknowledged(t *testing.T, conn *net.TCPConn) (n int) {
	err := onDescriptor(conn, func(fd int) (err error) {
		n, err = unix.IoctlGetInt(fd, unix.SIOCOUTQ)
		return err
	})
	if err != nil {
		t.Errorf("look for what is not acknowledged: %v", err)
	}
	return n
}

// unread is how many bytes the client at the other end of a connection has not read.
func (l *lab) unread(t *testing.T, conn *net.TCPConn) (n uint32) {
	err := l.client.Do(func() error {
		socket, err := netlink.SocketGet(conn.RemoteAddr(), conn.LocalAddr())
		if err == nil {
			n = socket.RQueue
		}
		return err
	})
	if err != nil {
		t.Errorf("look for the client's socket: %v", err)
	}
	return n
}

// A server that resets as soon as it has accepted may or may not have acknowledged the
// request. The client cannot tell such a reset from that of a handshake; [Confirm] can.
func TestResetAtAccept(t *testing.T) {
	withEngines(t, func(t *testing.T, engine loadclient.Engine) {
		l := newLab(t)
		l.serve(resetting(0))
		result := l.run(t, engine, loadclient.Config{Clients: 50})
		if n := result.Fates[scenario.Reset] + result.Fates[scenario.ResetAfterRequest]; n != 50 {
			t.Errorf("%d of 50 clients were reset\n%v", n, result)
		}
		for _, c := range result.Clients {
			if (c.Fate == scenario.Reset) != (c.TCP.BytesAcked == 1) {
				t.Errorf("client %d is %v with %d bytes acknowledged", c.Number, c.Fate, c.TCP.BytesAcked)
			}
		}
		l.checkAccepted(t, 50)
	})
}

// A connection that the server closes behind its answer is not kept while a thread has
// others to wait for: here the second client's answer waits until the first one's
// connection is closed at both ends.
func TestClosedConnectionIsNotKept(t *testing.T) {
	withEngines(t, func(t *testing.T, engine loadclient.Engine) {
		closed := make(chan struct{})
		l := newLab(t)
		var first atomic.Bool
		l.serve(func(conn *net.TCPConn) {
			defer conn.Close()
			if first.CompareAndSwap(false, true) {
				answeringOnce(closingAnswer)(conn)
				conn.CloseWrite()
				silent(conn)
				close(closed)
				return
			}
			readRequest(bufio.NewReader(conn))
			<-closed
			io.WriteString(conn, closingAnswer)
		})
		checkAll(t, l.run(t, engine, loadclient.Config{Clients: 2}), scenario.Served)
	})
}

const closingAnswer = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
