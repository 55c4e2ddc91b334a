package rpc

import (
	"errors"
	"fmt"
	"net"
	"os"
)

// CallError is a call that the transport failed, or that was given up. Op says
// in which step: dial, write or read. Err unwraps to the error number of the
// system call, to context.DeadlineExceeded or context.Canceled, to io.EOF when
// the server closed the connection, or to net.ErrClosed after Close.
type CallError struct {
	Op      string
	Address string
	Err     error
}

func (e *CallError) Error() string {
	return fmt.Sprintf("%s: %s: %v", e.Address, e.Op, e.reason())
}

func (e *CallError) Unwrap() error { return e.Err }

// reason is Err without what Op and Address say already.
func (e *CallError) reason() error {
	reason := e.Err
	if op, ok := errors.AsType[*net.OpError](reason); ok {
		reason = op.Err
	}
	if call, ok := errors.AsType[*os.SyscallError](reason); ok && call.Syscall == e.Op {
		reason = call.Err
	}
	return reason
}
