package rpc

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// rawConn speaks to the server byte by byte.
type rawConn struct {
	*net.TCPConn
	r *bufio.Reader
}

func dialRaw(t *testing.T, ln net.Listener) rawConn {
	t.Helper()
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return rawConn{conn.(*net.TCPConn), bufio.NewReader(conn)}
}

func (c rawConn) send(t *testing.T, b []byte) {
	t.Helper()
	if _, err := c.Write(b); err != nil {
		t.Fatalf("write %d bytes: %v", len(b), err)
	}
}

// farewell reads a failure about the connection and then its orderly end.
func (c rawConn) farewell() error {
	f, err := ReadFrame(c.r, limit)
	if err != nil {
		return fmt.Errorf("read farewell: %w", err)
	}
	if f.Kind != Failure || f.ID != 0 {
		return fmt.Errorf("got %+v, want a failure with id 0", f)
	}
	if _, err := c.r.ReadByte(); err != io.EOF {
		return fmt.Errorf("after the farewell: %v, want io.EOF", err)
	}
	return f.remoteError()
}

func TestBadFrameEndsOnlyItsConnection(t *testing.T) {
	ln := serve(t, &Server{Handler: echo, MaxFrame: limit, FrameTimeout: 500 * time.Millisecond})
	bystander := newClient(t, ln, 1)
	if err := echoed(t, bystander, "before"); err != nil {
		t.Fatal(err)
	}
	answer := encoded(t, Frame{ID: 1, Kind: Answer})
	tests := []struct {
		name, send, want string
		halfClose        bool
	}{
		{"malformed", "\x00\x00\x00\x00", "bad frame: malformed frame: length is 0, want at least 9", false},
		{"not a request", string(answer), "bad frame: malformed frame: kind is 2, want a request", false},
		{"oversized", "\x00\x01\x00\x01", "bad frame: oversized frame: 65537 bytes, limit 65536", false},
		{"http", "GET / HTTP/1.1\r\n\r\n", "bad frame: oversized frame: 1195725856 bytes, limit 65536", false},
		{"truncated", "\x00\x00\x00\x09\x00", "bad frame: truncated frame: got 5 of 13 bytes", true},
		{"slow", "\x00", "bad frame: slow frame: not complete after 500ms", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := dialRaw(t, ln)
			c.send(t, []byte(tt.send))
			if tt.halfClose {
				c.CloseWrite()
			}
			if err := c.farewell(); err.Error() != tt.want {
				t.Errorf("farewell: %v, want %s", err, tt.want)
			}
		})
	}
	if err := echoed(t, bystander, "after"); err != nil {
		t.Error(err)
	}
	if got, want := ln.accepted.Load(), int64(1+len(tests)); got != want {
		t.Errorf("%d connections, want %d: the bystander kept its own", got, want)
	}
}

// A client that is still sending can finish, read why it was refused, and sees
// no reset.
func TestRefusedClientMayFinishSending(t *testing.T) {
	const size = 2 << 20
	ln := serve(t, &Server{Handler: echo, MaxFrame: limit})
	for range 10 {
		c := dialRaw(t, ln)
		c.send(t, binary.BigEndian.AppendUint32(nil, size))
		if f, err := ReadFrame(c.r, limit); err != nil || f.Code != BadFrame {
			t.Fatalf("got %+v, %v, want a bad frame", f, err)
		}
		c.send(t, make([]byte, size))
		if _, err := c.r.ReadByte(); err != io.EOF {
			t.Fatalf("after the farewell: %v, want io.EOF", err)
		}
	}
}

func TestIdleConnectionIsNotSlow(t *testing.T) {
	const frameTimeout = 20 * time.Millisecond
	ln := serve(t, &Server{Handler: echo, FrameTimeout: frameTimeout})
	c := dialRaw(t, ln)
	for range 3 {
		c.SetReadDeadline(time.Now().Add(3 * frameTimeout)) // nothing may come while idle
		if _, err := c.r.Peek(1); err == nil || !os.IsTimeout(err) {
			t.Fatalf("idle connection: %v, want nothing to read", err)
		}
		c.SetReadDeadline(time.Now().Add(patience))
		c.send(t, encoded(t, frames[0]))
		if f, err := ReadFrame(c.r, limit); err != nil || f.Kind != Answer {
			t.Fatalf("got %+v, %v, want an answer", f, err)
		}
	}
}

// A client that does not read its answers is cut off, and its handlers' context
// ends.
func TestClientThatDoesNotRead(t *testing.T) {
	gone := make(chan struct{})
	large := []byte(strings.Repeat("x", 16<<20))
	ln := serve(t, &Server{
		MaxFrame:     32 << 20,
		WriteTimeout: 50 * time.Millisecond,
		Handler: func(ctx context.Context, method string, _ []byte) ([]byte, error) {
			if method == "wait" {
				<-ctx.Done()
				close(gone)
			}
			return large, nil
		},
	})
	c := dialRaw(t, ln)
	c.send(t, encoded(t, Frame{ID: 1, Kind: Request, Method: "wait"}))
	c.send(t, encoded(t, Frame{ID: 2, Kind: Request, Method: "large"}))
	receive(t, gone, "the context of the other request")
}
