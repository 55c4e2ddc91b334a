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

func TestFateOf(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		err  error
		want scenario.Fate
	}{
		{"no error", nil, scenario.Served},

		{"dial reset", op("dial", "connect", syscall.ECONNRESET), scenario.Reset},
		{"write reset", op("write", "write", syscall.ECONNRESET), scenario.Reset},
		{"read reset", op("read", "read", syscall.ECONNRESET), scenario.Reset},
		{"bare reset", syscall.ECONNRESET, scenario.Reset},
		{"reset joined to end of stream", errors.Join(io.EOF, syscall.ECONNRESET), scenario.Reset},

		{"dial refused", op("dial", "connect", syscall.ECONNREFUSED), scenario.Refused},
		{"wrapped refused", fmt.Errorf("lab: %w", op("dial", "connect", syscall.ECONNREFUSED)), scenario.Refused},

		{"kernel gave up", op("dial", "connect", syscall.ETIMEDOUT), scenario.TimedOut},
		{"call deadline", &net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded}, scenario.TimedOut},
		{"call deadline inside text", &net.OpError{Op: "read", Net: "tcp", Err: fmt.Errorf("x: %w", os.ErrDeadlineExceeded)}, scenario.TimedOut},
		{"context deadline", fmt.Errorf("lab: %w", context.DeadlineExceeded), scenario.TimedOut},
		{"resolver timeout", &net.DNSError{Err: "no answer", IsTimeout: true}, scenario.TimedOut},

		{"end of stream", io.EOF, scenario.Closed},
		{"wrapped end of stream", fmt.Errorf("x: %w", io.EOF), scenario.Closed},
		{"end within the answer", io.ErrUnexpectedEOF, scenario.Closed},
		{"write to a closed connection", op("write", "write", syscall.EPIPE), scenario.Closed},
		{"write to a closed pipe", io.ErrClosedPipe, scenario.Closed},

		{"no local port", op("dial", "connect", syscall.EADDRNOTAVAIL), scenario.Failed},
		{"no descriptor", op("dial", "socket", syscall.EMFILE), scenario.Failed},
		{"no route to the host", op("dial", "connect", syscall.EHOSTUNREACH), scenario.Failed},
		{"errno whose Timeout is true", op("dial", "connect", syscall.EAGAIN), scenario.Failed},
		{"no such name", &net.DNSError{Err: "no such host", IsNotFound: true}, scenario.Failed},
		{"bad status that speaks of a reset", answer{502, "connection reset by peer", false}.statusError(), scenario.Failed},
		{"own connection closed", net.ErrClosed, scenario.Failed},
		{"cancelled", context.Canceled, scenario.Failed},
		{"cancelled before its start", errBeforeStart, scenario.Failed},
		{"second dial", errSecondDial, scenario.Failed},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := fateOf(test.err); got != test.want {
				t.Errorf("fateOf(%v) = %v, want %v", test.err, got, test.want)
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
	if got := fateOf(cancelledOr(ctx, os.ErrDeadlineExceeded)); got != scenario.Failed {
		t.Errorf("fate of a client cut short by the run's deadline = %v, want %v", got, scenario.Failed)
	}
	if got := cancelledOr(t.Context(), io.EOF); got != io.EOF {
		t.Errorf("cancelledOr(%v) in a live run = %v, want it unchanged", io.EOF, got)
	}
}
