package loadclient

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"syscall"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// evidence is what is known of a client at its end, and all that its fate depends on.
type evidence struct {
	end       ending
	errno     syscall.Errno // with byErrno
	status    int           // with byAnswer
	connected bool          // the connect was seen to succeed
	answered  bool          // an earlier answer was complete
	begun     bool          // a byte of the answer that was due has come
	tcp       TCP
}

// ending is what ended a client.
type ending uint8

const (
	byOther    ending = iota // such as a malformed answer, or the end of the run
	byAnswer                 // the last one is complete
	byErrno                  // a system call failed
	byEOF                    // the server closed
	byDeadline               // the client's time was over
	bySetup                  // it could not begin
)

// synOnly is tcpi_bytes_acked of a connection whose SYN was acknowledged, and nothing
// after it.
//
// Source, checked on v6.18: tcp_snd_una_update (net/ipv4/tcp_input.c), by which the SYN
// counts as a byte.
const synOnly = 1

// fate decides a client's fate, the first rule that fits first. The text of an error
// is never looked at.
//
// One gap: a server that accepts and resets before it has acknowledged any of the request
// looks like a reset of the handshake. Its own accept log settles that, see [Confirm].
func (e evidence) fate() scenario.Fate {
	switch e.end {
	case bySetup:
		return scenario.LocalError
	case byErrno:
		return e.errnoFate()
	case byEOF:
		return e.cutFate()
	case byDeadline:
		return e.silentFate()
	case byAnswer:
		if e.status >= 400 {
			return scenario.BadStatus
		}
		return scenario.Served
	}
	return scenario.Failed
}

var (
	localErrnos = []syscall.Errno{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL, syscall.EADDRINUSE,
		syscall.EPERM, // the firewall's, on the way out
	}
	// What ICMP messages turn into. Source, checked on v6.18: icmp_err_convert
	// (net/ipv4/icmp.c), tab_unreach (net/ipv6/icmp.c).
	unreachableErrnos = []syscall.Errno{
		syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EHOSTDOWN, syscall.ENONET, syscall.EACCES,
		syscall.ENOPROTOOPT, syscall.EOPNOTSUPP, syscall.EPROTO,
	}
)

func (e evidence) errnoFate() scenario.Fate {
	switch {
	case slices.Contains(localErrnos, e.errno):
		return scenario.LocalError
	case e.errno == syscall.ECONNREFUSED:
		return scenario.Refused
	case slices.Contains(unreachableErrnos, e.errno):
		return scenario.Unreachable
	case e.errno == syscall.ETIMEDOUT:
		return e.silentFate()
	case e.errno == syscall.EPIPE:
		return e.cutFate()
	case e.errno != syscall.ECONNRESET:
		return scenario.Failed
	case e.begun:
		return scenario.Truncated
	case e.tcp.BytesAcked > synOnly:
		return scenario.ResetAfterRequest
	}
	return scenario.Reset
}

// cutFate is for a stream that ended.
func (e evidence) cutFate() scenario.Fate {
	if e.begun {
		return scenario.Truncated
	}
	return scenario.Closed
}

// silentFate is for a client whose time passed, or for which the kernel gave up.
func (e evidence) silentFate() scenario.Fate {
	switch {
	case e.tcp.Known() && e.tcp.BytesAcked < synOnly, !e.tcp.Known() && !e.connected:
		return scenario.SYNDropped
	case e.begun, e.answered, !e.tcp.Known():
		return scenario.TimedOut
	case e.tcp.BytesAcked == synOnly:
		return scenario.GhostOrKept
	}
	return scenario.Queued
}

// evidenceOf tells how an error of a call ended the client; nil is a complete answer.
// An errno decides alone. Without one, the end of the stream or of the client's time does.
func evidenceOf(err error) evidence {
	if err == nil {
		return evidence{end: byAnswer}
	}
	if _, ok := errors.AsType[setupError](err); ok {
		return evidence{end: bySetup}
	}
	if bad, ok := errors.AsType[badStatus](err); ok {
		return evidence{end: byAnswer, status: bad.status}
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return evidence{end: byErrno, errno: errno}
	}
	switch {
	case endOfStream(err):
		return evidence{end: byEOF}
	case deadlinePassed(err):
		return evidence{end: byDeadline}
	}
	return evidence{}
}

// setupError is why a client could not begin: its socket was not made or bound.
type setupError struct{ err error }

func (e setupError) Error() string { return e.err.Error() }
func (e setupError) Unwrap() error { return e.err }

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
