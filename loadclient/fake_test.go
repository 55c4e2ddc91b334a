package loadclient_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// dialPipe counts its calls in dials and gives the far end of each connection
// to serve, on a goroutine of its own, which closes it in the end.
func dialPipe(dials *atomic.Int64, serve func(io.ReadWriter)) dialFunc {
	return func(context.Context, string, string) (net.Conn, error) {
		dials.Add(1)
		near, far := net.Pipe()
		go func() {
			defer far.Close()
			serve(far)
		}()
		return near, nil
	}
}

// dialError fails with errno as the net package does.
func dialError(errno syscall.Errno) dialFunc {
	return func(context.Context, string, string) (net.Conn, error) {
		return nil, opError("dial", "connect", errno)
	}
}

// dialNever hangs until its context ends, as a dial does whose SYN is dropped.
func dialNever(ctx context.Context, _, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: ctx.Err()}
}

func opError(call, syscallName string, errno syscall.Errno) error {
	return &net.OpError{Op: call, Net: "tcp", Err: os.NewSyscallError(syscallName, errno)}
}

// answering answers every request alike until the client closes.
func answering(answer string) func(io.ReadWriter) {
	return func(conn io.ReadWriter) {
		for requests := bufio.NewReader(conn); readRequest(requests); {
			if _, err := io.WriteString(conn, answer); err != nil {
				return
			}
		}
	}
}

// answeringOnce answers one request and closes.
func answeringOnce(answer string) func(io.ReadWriter) {
	return func(conn io.ReadWriter) {
		if readRequest(bufio.NewReader(conn)) {
			io.WriteString(conn, answer)
		}
	}
}

// silent reads until the client closes and answers nothing.
func silent(conn io.ReadWriter) {
	io.Copy(io.Discard, conn)
}

// readRequest reads one request without a body.
func readRequest(r *bufio.Reader) bool {
	_, err := http.ReadRequest(r)
	return err == nil
}

const okAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"

// status is an answer with a body.
func status(line, body string) string {
	return fmt.Sprintf("HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s", line, len(body), body)
}

// scriptedConn fails Read and Write with the given errors. A call whose error
// is nil waits for Close. A Write waits for a Read to be under way: only such a
// Read can have taken the errno from the kernel before the Write.
type scriptedConn struct {
	net.Conn // for deadlines and addresses
	read     error
	write    error
	late     error // of a Read that Close interrupts

	once    sync.Once
	reading chan struct{}
	close   sync.Once
	closed  chan struct{}
}

func dialScripted(read, write, late error) dialFunc {
	return func(context.Context, string, string) (net.Conn, error) {
		near, _ := net.Pipe()
		return &scriptedConn{
			Conn: near, read: read, write: write, late: late,
			reading: make(chan struct{}), closed: make(chan struct{}),
		}, nil
	}
}

func (c *scriptedConn) Read([]byte) (int, error) {
	c.once.Do(func() { close(c.reading) })
	if c.read != nil {
		return 0, c.read
	}
	<-c.closed
	<-time.After(time.Millisecond) // the call's result is on its way
	return 0, c.late
}

func (c *scriptedConn) Write([]byte) (int, error) {
	<-c.reading
	if c.write != nil {
		return 0, c.write
	}
	<-c.closed
	return 0, net.ErrClosed
}

func (c *scriptedConn) Close() error {
	c.close.Do(func() { close(c.closed) })
	return c.Conn.Close()
}
