package loadclient_test

import (
	"bufio"
	"io"
	"net"
	"testing"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab/scenario"
	"golang.org/x/sys/unix"
)

// Fates that loopback can bring about, one server each. The others need a lab: see the
// tests of engines in lab_test.go.
func TestFatesOnLoopback(t *testing.T) {
	withEngines(t, func(t *testing.T, engine loadclient.Engine) {
		served := func(handle func(*net.TCPConn)) func(t *testing.T, s *server) {
			return func(_ *testing.T, s *server) { s.serve(handle) }
		}
		for _, test := range []struct {
			name     string
			prepare  func(t *testing.T, s *server)
			requests int
			timeout  time.Duration
			want     scenario.Fate
			phase    loadclient.Phase
			errno    string
			acked    uint64 // tcpi_bytes_acked; 1 is the SYN, 99 the SYN and all that was sent, 50 half of that
			accepted int64
		}{
			{"served", served(closing(answering(okAnswer))), 1, 0, scenario.Served, 0, "", 99, 50},
			{"served three times", served(closing(answering(okAnswer))), 3, 0, scenario.Served, 0, "", 99, 50},
			{"served with the end of the stream", served(closing(answeringOnce("HTTP/1.0 200 OK\r\n\r\nok"))), 1, 0, scenario.Served, 0, "", 99, 50},
			{"refused", func(_ *testing.T, s *server) { s.stop() }, 1, 0, scenario.Refused, loadclient.PhaseDial, "ECONNREFUSED", 0, 0},
			{"SYN unanswered", func(t *testing.T, s *server) { s.fill(t) }, 1, 1500 * ms, scenario.SYNDropped, loadclient.PhaseDial, "", 0, 0},
			{"reset after the request", served(resetting(1)), 1, 0, scenario.ResetAfterRequest, loadclient.PhaseRead, "ECONNRESET", 99, 50},
			{"reset after an answer", served(resettingAfter(okAnswer)), 2, 0, scenario.ResetAfterRequest, loadclient.PhaseRead, "ECONNRESET", 50, 50},
			{"closed unanswered", served(closing(answeringOnce(""))), 1, 0, scenario.Closed, loadclient.PhaseRead, "", 99, 50},
			{"close announced too early", served(closing(answeringOnce("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"))), 2, 0,
				scenario.Closed, loadclient.PhaseRead, "", 99, 50},
			{"closed within the head", served(closing(answeringOnce("HTTP/1.1 200 OK\r\nContent"))), 1, 0, scenario.Truncated, loadclient.PhaseRead, "", 99, 50},
			{"closed within the body", served(closing(answeringOnce("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok"))), 1, 0,
				scenario.Truncated, loadclient.PhaseRead, "", 99, 50},
			{"reset within the body", served(resettingWithin), 1, 0, scenario.Truncated, loadclient.PhaseRead, "ECONNRESET", 99, 50},
			{"queued", func(*testing.T, *server) {}, 1, 200 * ms, scenario.Queued, loadclient.PhaseRead, "", 99, 0},
			{"deadline within the answer", served(closing(func(conn io.ReadWriter) {
				answeringOnce("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok")(conn)
				silent(conn)
			})), 1, 200 * ms, scenario.TimedOut, loadclient.PhaseRead, "", 99, 50},
			{"bad status", served(closing(answering(status("502 Bad Gateway", "hop\n")))), 1, 0, scenario.BadStatus, loadclient.PhaseAnswer, "", 99, 50},
			{"malformed answer", served(closing(answering("SSH-2.0-x\r\n\r\n"))), 1, 0, scenario.Failed, loadclient.PhaseAnswer, "", 99, 50},
		} {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				server := listen(t, loopback)
				test.prepare(t, server)
				result := run(t, loadclient.Config{
					Engine: engine, Target: server.target(), Clients: 50, Requests: test.requests, Timeout: test.timeout,
				})
				checkAll(t, result, test.want)
				server.checkAccepted(t, test.accepted)
				for _, c := range result.Clients {
					acked := map[uint64]int64{0: 0, 1: 1, 50: 1 + c.Sent/2, 99: 1 + c.Sent}[test.acked]
					if c.Phase != test.phase || c.ErrnoName() != test.errno || c.TCP.BytesAcked != uint64(acked) {
						t.Errorf("client %d: phase %v, errno %q, %d bytes acknowledged of %d, want %v, %q, %d",
							c.Number, c.Phase, c.ErrnoName(), c.TCP.BytesAcked, c.Sent, test.phase, test.errno, acked)
					}
				}
			})
		}
	})
}

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

// resettingWithin sends the start of an answer, waits until the client's kernel has it,
// and sends RST. What the client has not read by then is lost to it, so that it sees
// the start only where it reads at once: the RST waits for a second request, which never
// comes, but for its time.
func resettingWithin(conn *net.TCPConn) {
	readRequest(bufio.NewReader(conn))
	io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok")
	conn.SetReadDeadline(time.Now().Add(100 * ms))
	conn.Read(make([]byte, 1))
	conn.SetLinger(0)
	conn.Close()
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

// A server that resets as soon as it has accepted may or may not have acknowledged the
// request. The client cannot tell such a reset from that of a handshake; [Confirm] can.
func TestResetAtAccept(t *testing.T) {
	withEngines(t, func(t *testing.T, engine loadclient.Engine) {
		server := listen(t, loopback).serve(resetting(0))
		result := run(t, loadclient.Config{Engine: engine, Target: server.target(), Clients: 50})
		if n := result.Fates[scenario.Reset] + result.Fates[scenario.ResetAfterRequest]; n != 50 {
			t.Errorf("%d of 50 clients were reset\n%v", n, result)
		}
		for _, c := range result.Clients {
			if (c.Fate == scenario.Reset) != (c.TCP.BytesAcked == 1) {
				t.Errorf("client %d is %v with %d bytes acknowledged", c.Number, c.Fate, c.TCP.BytesAcked)
			}
		}
		server.checkAccepted(t, 50)
	})
}
