package loadclient

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// fateOf decides a client's fate from its first error; nil means served.
//
// An errno decides alone. Without one, the end of the stream or of the client's
// time does. The text of an error is never looked at.
func fateOf(err error) scenario.Fate {
	if err == nil {
		return scenario.Served
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return fateOfErrno(errno)
	}
	switch {
	case endOfStream(err):
		return scenario.Closed
	case deadlinePassed(err):
		return scenario.TimedOut
	}
	return scenario.Failed
}

func fateOfErrno(errno syscall.Errno) scenario.Fate {
	switch errno {
	case syscall.ECONNRESET:
		return scenario.Reset
	case syscall.ECONNREFUSED:
		return scenario.Refused
	case syscall.ETIMEDOUT:
		return scenario.TimedOut
	case syscall.EPIPE:
		return scenario.Closed
	}
	return scenario.Failed
}

// endOfStream also knows io.ErrClosedPipe, the EPIPE of [net.Pipe].
func endOfStream(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe)
}

func deadlinePassed(err error) bool {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// isReset reports whether err carries ECONNRESET.
func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET)
}
