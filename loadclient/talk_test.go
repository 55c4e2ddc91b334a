package loadclient_test

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// ponging answers each request of a length with the same bytes, in two parts, and then
// waits for the client to close.
func ponging(request int, first, second string) func(*net.TCPConn) {
	return func(conn *net.TCPConn) {
		defer conn.Close()
		buffer := make([]byte, request)
		for {
			if _, err := io.ReadFull(conn, buffer); err != nil && request > 0 {
				return
			}
			io.WriteString(conn, first)
			io.WriteString(conn, second)
			if request == 0 {
				io.Copy(io.Discard, conn)
				return
			}
		}
	}
}

// A server that does not speak HTTP is asked in its own words.
func TestTCPTarget(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name         string
		handle       func(*net.TCPConn)
		send, expect string
		requests     int
		fate         scenario.Fate
		err          string
	}{
		{"answered", ponging(6, "+PO", "NG\r\n"), "PING\r\n", "+PONG\r\n", 3, scenario.Served, ""},
		{"server first", ponging(0, "SSH", "-2.0"), "", "SSH-", 1, scenario.Served, ""},
		{"another answer", ponging(6, "-E", "RR"), "PING\r\n", "+PONG", 1, scenario.Failed, `the answer begins "-E`},
		{"closed", func(c *net.TCPConn) { io.ReadFull(c, make([]byte, 6)); c.Close() }, "PING\r\n", "+PONG", 1, scenario.Closed, "EOF"},
		{"closed in the answer", func(c *net.TCPConn) { io.ReadFull(c, make([]byte, 6)); io.WriteString(c, "+P"); c.Close() }, "PING\r\n", "+PONG", 1, scenario.Truncated, "EOF"},
		{"reset", func(c *net.TCPConn) { io.ReadFull(c, make([]byte, 6)); c.SetLinger(0); c.Close() }, "PING\r\n", "+PONG", 1, scenario.ResetAfterRequest, "read: connection reset by peer"},
		{"silent", ponging(7, "", ""), "PING\r\n", "+PONG", 1, scenario.Queued, "i/o timeout"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := listen(t, loopback).serve(test.handle)
			config := loadclient.Config{
				Target: "tcp://" + server.ln.Addr().String(), Clients: 5, Requests: test.requests, Send: test.send, Expect: test.expect,
			}
			if test.fate == scenario.Queued {
				config.Timeout = time.Second
			}
			result := run(t, config)
			checkAll(t, result, test.fate)
			for _, c := range result.Clients {
				answered := 0
				if test.fate == scenario.Served {
					answered = test.requests
				}
				if !strings.HasPrefix(c.Error, test.err) || (c.Error == "") != (test.err == "") || c.Answered != answered {
					t.Errorf("client %d: %d answers and error %q, want %d and %q", c.Number, c.Answered, c.Error, answered, test.err)
				}
			}
			server.checkAccepted(t, 5)
		})
	}
}

func TestUnescape(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ typed, want, err string }{
		{"", "", ""},
		{"PING\\r\\n", "PING\r\n", ""},
		{`{"id":1}\x00\"é`, "{\"id\":1}\x00\"é", ""},
		{`\xff`, "\xff", ""},
		{`a\q`, "", `"a\\q" is no text in which a backslash begins an escape such as \n, \x00 or \\`},
	} {
		got, err := loadclient.Unescape(test.typed)
		if got != test.want || (err != nil) != (test.err != "") || err != nil && err.Error() != test.err {
			t.Errorf("Unescape(%q) = %q, %v, want %q, %s", test.typed, got, err, test.want, test.err)
		}
	}
}
