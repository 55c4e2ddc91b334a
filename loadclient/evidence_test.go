package loadclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// op wraps an errno as the net package does.
func op(call, syscallName string, errno syscall.Errno) error {
	return &net.OpError{Op: call, Net: "tcp", Err: os.NewSyscallError(syscallName, errno)}
}

// TestFate goes through the rules, with what a client of a request of 40 bytes knows.
func TestFate(t *testing.T) {
	t.Parallel()
	acked := func(n uint64) TCP { return TCP{State: 1, BytesAcked: n} }
	for _, test := range []struct {
		name string
		e    evidence
		want scenario.Fate
	}{
		{"no socket", evidence{end: bySetup}, scenario.LocalError},
		{"no descriptor", evidence{end: byErrno, errno: syscall.EMFILE}, scenario.LocalError},
		{"no port", evidence{end: byErrno, errno: syscall.EADDRNOTAVAIL}, scenario.LocalError},
		{"port taken", evidence{end: byErrno, errno: syscall.EADDRINUSE}, scenario.LocalError},
		{"refused", evidence{end: byErrno, errno: syscall.ECONNREFUSED, tcp: acked(0)}, scenario.Refused},
		{"no host", evidence{end: byErrno, errno: syscall.EHOSTUNREACH, tcp: acked(0)}, scenario.Unreachable},
		{"no network", evidence{end: byErrno, errno: syscall.ENETUNREACH}, scenario.Unreachable},

		{"deadline in SYN_SENT", evidence{end: byDeadline, tcp: TCP{State: 2}}, scenario.SYNDropped},
		{"kernel gave up in SYN_SENT", evidence{end: byErrno, errno: syscall.ETIMEDOUT, tcp: TCP{State: 7}}, scenario.SYNDropped},
		{"deadline before the connect, unknown", evidence{end: byDeadline}, scenario.SYNDropped},

		{"reset, nothing acknowledged but the SYN", evidence{end: byErrno, errno: syscall.ECONNRESET, tcp: acked(1)}, scenario.Reset},
		{"reset, unknown", evidence{end: byErrno, errno: syscall.ECONNRESET}, scenario.Reset},
		{"reset after the request", evidence{end: byErrno, errno: syscall.ECONNRESET, connected: true, tcp: acked(41)}, scenario.ResetAfterRequest},
		{"reset between answers", evidence{end: byErrno, errno: syscall.ECONNRESET, answered: true, tcp: acked(81)}, scenario.ResetAfterRequest},
		{"reset within the answer", evidence{end: byErrno, errno: syscall.ECONNRESET, begun: true, tcp: acked(41)}, scenario.Truncated},
		{"closed before the first byte", evidence{end: byEOF, tcp: acked(41)}, scenario.Closed},
		{"broken pipe", evidence{end: byErrno, errno: syscall.EPIPE}, scenario.Closed},
		{"closed within the answer", evidence{end: byEOF, begun: true, tcp: acked(41)}, scenario.Truncated},

		{"deadline, request not acknowledged", evidence{end: byDeadline, connected: true, tcp: acked(1)}, scenario.GhostOrKept},
		{"kernel gave up, request not acknowledged", evidence{end: byErrno, errno: syscall.ETIMEDOUT, connected: true, tcp: TCP{State: 7, BytesAcked: 1}}, scenario.GhostOrKept},
		{"deadline, request acknowledged", evidence{end: byDeadline, connected: true, tcp: acked(41)}, scenario.Queued},
		{"deadline within the answer", evidence{end: byDeadline, connected: true, begun: true, tcp: acked(41)}, scenario.TimedOut},
		{"deadline between answers", evidence{end: byDeadline, connected: true, answered: true, tcp: acked(41)}, scenario.TimedOut},
		{"deadline, unknown", evidence{end: byDeadline, connected: true}, scenario.TimedOut},

		{"bad status", evidence{end: byAnswer, status: 400}, scenario.BadStatus},
		{"answer", evidence{end: byAnswer}, scenario.Served},
		{"redirection", evidence{end: byAnswer, status: 399}, scenario.Served},
		{"malformed answer", evidence{connected: true, begun: true, tcp: acked(41)}, scenario.Failed},
		{"errno that no rule knows", evidence{end: byErrno, errno: syscall.EAGAIN}, scenario.Failed},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := test.e.fate(); got != test.want {
				t.Errorf("fate of %+v is %v, want %v", test.e, got, test.want)
			}
		})
	}
}

func TestEvidenceOf(t *testing.T) {
	t.Parallel()
	errno := func(e syscall.Errno) evidence { return evidence{end: byErrno, errno: e} }
	for _, test := range []struct {
		name string
		err  error
		want evidence
	}{
		{"no error", nil, evidence{end: byAnswer}},
		{"dial reset", op("dial", "connect", syscall.ECONNRESET), errno(syscall.ECONNRESET)},
		{"bare reset", syscall.ECONNRESET, errno(syscall.ECONNRESET)},
		{"reset joined to end of stream", errors.Join(io.EOF, syscall.ECONNRESET), errno(syscall.ECONNRESET)},
		{"wrapped refused", fmt.Errorf("lab: %w", op("dial", "connect", syscall.ECONNREFUSED)), errno(syscall.ECONNREFUSED)},
		{"kernel gave up", op("dial", "connect", syscall.ETIMEDOUT), errno(syscall.ETIMEDOUT)},
		{"errno whose Timeout is true", op("dial", "connect", syscall.EAGAIN), errno(syscall.EAGAIN)},

		{"call deadline", &net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded}, evidence{end: byDeadline}},
		{"call deadline inside text", &net.OpError{Op: "read", Net: "tcp", Err: fmt.Errorf("x: %w", os.ErrDeadlineExceeded)}, evidence{end: byDeadline}},
		{"context deadline", fmt.Errorf("lab: %w", context.DeadlineExceeded), evidence{end: byDeadline}},
		{"resolver timeout", &net.DNSError{Err: "no answer", IsTimeout: true}, evidence{end: byDeadline}},

		{"wrapped end of stream", fmt.Errorf("x: %w", io.EOF), evidence{end: byEOF}},
		{"end within the answer", io.ErrUnexpectedEOF, evidence{end: byEOF}},
		{"write to a closed pipe", io.ErrClosedPipe, evidence{end: byEOF}},

		{"bad status that speaks of a reset", badStatus{502, "connection reset by peer"}, evidence{end: byAnswer, status: 502}},
		{"setup", &net.OpError{Op: "dial", Err: setupError{os.NewSyscallError("setns", syscall.EINVAL)}}, evidence{end: bySetup}},
		{"no such name", &net.DNSError{Err: "no such host", IsNotFound: true}, evidence{}},
		{"own connection closed", net.ErrClosed, evidence{}},
		{"cancelled", context.Canceled, evidence{}},
		{"cancelled before its start", errBeforeStart, evidence{}},
		{"second dial", errSecondDial, evidence{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := evidenceOf(test.err); got != test.want {
				t.Errorf("evidenceOf(%v) = %+v, want %+v", test.err, got, test.want)
			}
		})
	}
}

func TestCancelledOrKeepsErrno(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeoutCause(t.Context(), 0, context.DeadlineExceeded)
	defer cancel()
	reset := op("read", "read", syscall.ECONNRESET)
	if got := cancelledOr(ctx, reset); got != reset {
		t.Errorf("cancelledOr(%v) = %v, want it unchanged", reset, got)
	}
	if got := evidenceOf(cancelledOr(ctx, os.ErrDeadlineExceeded)); got != (evidence{}) {
		t.Errorf("evidence of a client cut short by the run's deadline = %+v, want none", got)
	}
	if got := cancelledOr(t.Context(), io.EOF); got != io.EOF {
		t.Errorf("cancelledOr(%v) in a live run = %v, want it unchanged", io.EOF, got)
	}
}
