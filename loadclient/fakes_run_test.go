package loadclient_test

import (
	"io"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab/scenario"
)

const target = "http://server.example/"

// run runs a swarm that must not return an error.
func run(t *testing.T, cfg loadclient.Config) loadclient.Result {
	t.Helper()
	result, err := loadclient.Run(t.Context(), cfg)
	if err != nil {
		t.Fatalf("Run() = %v", err)
	}
	return result
}

// outcome is the part of a record that the same server must always produce.
type outcome struct {
	fate     scenario.Fate
	phase    loadclient.Phase
	errno    string
	err      string
	status   int
	answered int
	ended    time.Duration
}

func outcomeOf(c loadclient.Client) outcome {
	return outcome{c.Fate, c.Phase, c.ErrnoName(), c.Error, c.Status, c.Answered, c.Ended}
}

func TestFateOfOneClient(t *testing.T) {
	t.Parallel()
	const (
		dial, read, write, answer = loadclient.PhaseDial, loadclient.PhaseRead, loadclient.PhaseWrite, loadclient.PhaseAnswer
		timeout                   = 5 * time.Second
	)
	pipe := func(serve func(io.ReadWriter)) dialFunc { return dialPipe(new(atomic.Int64), serve) }
	readReset := opError("read", "read", syscall.ECONNRESET)
	writeReset := opError("write", "write", syscall.ECONNRESET)
	brokenPipe := opError("write", "write", syscall.EPIPE)
	for _, test := range []struct {
		name     string
		requests int
		dial     dialFunc
		want     outcome
	}{
		{"served", 1, pipe(answering(okAnswer)), outcome{fate: scenario.Served, status: 200, answered: 1}},
		{"served three times", 3, pipe(answering(okAnswer)), outcome{fate: scenario.Served, status: 200, answered: 3}},
		{"no body", 2, pipe(answering(status("204 No Content", ""))), outcome{fate: scenario.Served, status: 204, answered: 2}},
		{"redirect is not followed", 1, pipe(answering("HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n")),
			outcome{fate: scenario.Served, status: 302, answered: 1}},
		{"answer ends with the stream", 1, pipe(answeringOnce("HTTP/1.0 200 OK\r\n\r\nok")),
			outcome{fate: scenario.Served, status: 200, answered: 1}},

		{"reset in dial", 1, dialError(syscall.ECONNRESET),
			outcome{fate: scenario.Reset, phase: dial, errno: "ECONNRESET", err: "connect: connection reset by peer"}},
		{"reset in read", 1, dialScripted(readReset, nil, nil),
			outcome{fate: scenario.Reset, phase: read, errno: "ECONNRESET", err: "read: connection reset by peer"}},
		{"reset in write", 1, dialScripted(nil, writeReset, net.ErrClosed),
			outcome{fate: scenario.Reset, phase: write, errno: "ECONNRESET", err: "write: connection reset by peer", ended: ms}},
		{"reset that returns after the write's EPIPE", 1, dialScripted(nil, brokenPipe, readReset),
			outcome{fate: scenario.Reset, phase: read, errno: "ECONNRESET", err: "read: connection reset by peer", ended: ms}},

		{"refused", 1, dialError(syscall.ECONNREFUSED),
			outcome{fate: scenario.Refused, phase: dial, errno: "ECONNREFUSED", err: "connect: connection refused"}},

		{"timed out in dial", 1, dialNever, outcome{fate: scenario.SYNDropped, phase: dial, err: "context deadline exceeded", ended: timeout}},
		{"kernel gave up", 1, dialError(syscall.ETIMEDOUT),
			outcome{fate: scenario.SYNDropped, phase: dial, errno: "ETIMEDOUT", err: "connect: connection timed out"}},
		{"timed out in read", 1, pipe(silent), outcome{fate: scenario.TimedOut, phase: read, err: "i/o timeout", ended: timeout}},

		{"broken pipe", 1, dialScripted(nil, brokenPipe, net.ErrClosed),
			outcome{fate: scenario.Closed, phase: write, errno: "EPIPE", err: "write: broken pipe", ended: ms}},
		{"closed unanswered", 1, pipe(answeringOnce("")), outcome{fate: scenario.Closed, phase: read, err: "EOF"}},
		{"closed within the head", 1, pipe(answeringOnce("HTTP/1.1 200 OK\r\nContent")),
			outcome{fate: scenario.Truncated, phase: read, err: "EOF"}},
		{"closed within the body", 1, pipe(answeringOnce("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok")),
			outcome{fate: scenario.Truncated, phase: read, err: "EOF", status: 200}},
		{"closed within a chunk", 1, pipe(answeringOnce("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nok")),
			outcome{fate: scenario.Truncated, phase: read, err: "EOF", status: 200}},
		{"close announced too early", 3, pipe(answeringOnce("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")),
			outcome{fate: scenario.Closed, phase: read, err: "server closed after 1 of 3 answers: EOF", status: 200, answered: 1}},

		{"bad gateway", 2, pipe(answering(status("502 Bad Gateway", "hop front > backend: connection reset by peer\nmore"))),
			outcome{fate: scenario.BadStatus, phase: answer, err: "status 502: hop front > backend: connection reset by peer", status: 502}},
		{"bad status without body", 1, pipe(answering(status("404 Not Found", ""))),
			outcome{fate: scenario.BadStatus, phase: answer, err: "status 404", status: 404}},
		{"long error line", 1, pipe(answering(status("500 Oops", strings.Repeat("x", 5000)))),
			outcome{fate: scenario.BadStatus, phase: answer, err: "status 500: " + strings.Repeat("x", 200), status: 500}},
		{"not HTTP", 1, pipe(answering("SSH-2.0-x\r\n\r\n")),
			outcome{fate: scenario.Failed, phase: answer, err: `net/http: HTTP/1.x transport connection broken: malformed HTTP response "SSH-2.0-x"`}},
		{"no descriptor", 1, dialError(syscall.EMFILE),
			outcome{fate: scenario.LocalError, phase: dial, errno: "EMFILE", err: "connect: too many open files"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				result := run(t, loadclient.Config{
					Target: target, Clients: 1, Requests: test.requests, Timeout: timeout, Dial: test.dial,
				})
				if got := outcomeOf(result.Clients[0]); got != test.want {
					t.Errorf("outcome is\n%+v, want\n%+v", got, test.want)
				}
				if tcp := result.Clients[0].TCP; tcp.Known() {
					t.Errorf("TCP is %+v without a socket, want it unknown", tcp)
				}
			})
		})
	}
}

// net/http repeats a request when a kept connection turns out to be closed. The
// phase depends on whether it had noticed before it wrote, the fate does not.
func TestClosedBetweenRequestsIsNotRetried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var dials atomic.Int64
		result := run(t, loadclient.Config{
			Target: target, Clients: 10, Requests: 2, Dial: dialPipe(&dials, answeringOnce(okAnswer)),
		})
		if got := result.Fates[scenario.Closed]; got != 10 || dials.Load() != 10 {
			t.Errorf("closed %d of 10 clients over %d connections, want 10 over 10\n%v", got, dials.Load(), result)
		}
	})
}
