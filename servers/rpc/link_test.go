package rpc

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"
)

// resetConn is a connection that is reset while a request is written. The kernel
// hands the ECONNRESET to one call and other errors to the rest.
type resetConn struct {
	net.Conn // nil: what else a client might call is a bug
	read     func(*resetConn) error
	write    func(*resetConn) error

	once          sync.Once
	wrote, closed chan struct{}
}

func (c *resetConn) Read([]byte) (int, error) { return 0, c.read(c) }

func (c *resetConn) Write([]byte) (int, error) {
	close(c.wrote)
	return 0, c.write(c)
}

func (c *resetConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

// SetWriteDeadline is the only one that a client sets.
func (c *resetConn) SetWriteDeadline(time.Time) error { return nil }

// Whichever call takes the ECONNRESET, and whichever returns first, the call that
// was on the connection fails with it.
func TestResetIsTheCause(t *testing.T) {
	reset := func(call string) error {
		return &net.OpError{Op: call, Err: os.NewSyscallError(call, syscall.ECONNRESET)}
	}
	for _, tt := range []struct {
		name, op    string
		read, write func(*resetConn) error
	}{
		{"read gets EOF first, write has the reset", opWrite,
			func(c *resetConn) error { <-c.wrote; return io.EOF },
			func(c *resetConn) error { <-c.closed; return reset("write") }},
		{"write gets EPIPE first, read has the reset", opRead,
			func(c *resetConn) error { <-c.wrote; return reset("read") },
			func(c *resetConn) error {
				return &net.OpError{Op: "write", Err: os.NewSyscallError("write", syscall.EPIPE)}
			}},
		{"write has the reset and closes", opWrite,
			func(c *resetConn) error { <-c.closed; return net.ErrClosed },
			func(c *resetConn) error { return reset("write") }},
		{"read has the reset, write is cut off", opRead,
			func(c *resetConn) error { <-c.wrote; return reset("read") },
			func(c *resetConn) error { <-c.closed; return net.ErrClosed }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client := &Client{Address: "fake", Dial: func(context.Context, string, string) (net.Conn, error) {
				return &resetConn{read: tt.read, write: tt.write, wrote: make(chan struct{}), closed: make(chan struct{})}, nil
			}}
			defer client.Close()
			_, err := client.Call(t.Context(), "echo", nil)
			failed, ok := errors.AsType[*CallError](err)
			if !ok || failed.Op != tt.op || !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("Call() = %v, want %s with ECONNRESET", err, tt.op)
			}
		})
	}
}
