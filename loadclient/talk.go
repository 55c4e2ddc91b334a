package loadclient

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Unescape reads a Send or an Expect as people type it: with the escapes of a Go string,
// such as \r, \n and \x00, which a shell does not know. A double quote needs no backslash.
func Unescape(typed string) (string, error) {
	var plain strings.Builder
	for rest := typed; rest != ""; {
		if rest[0] == '"' { // needs no backslash here, and may have one
			plain.WriteByte('"')
			rest = rest[1:]
			continue
		}
		char, multibyte, tail, err := strconv.UnquoteChar(rest, '"')
		switch {
		case err != nil:
			return "", fmt.Errorf("%q is no text in which a backslash begins an escape such as \\n, \\x00 or \\\\", typed)
		case multibyte:
			plain.WriteRune(char)
		default:
			plain.WriteByte(byte(char))
		}
		rest = tail
	}
	return plain.String(), nil
}

// speaksHTTP is false for a tcp Target.
func (c Config) speaksHTTP() bool { return !strings.HasPrefix(c.Target, "tcp://") }

// talkOnce sends a request that is not HTTP and reads the beginning of its answer.
func (e *httpEngine) talkOnce(ctx context.Context, c *Client, conn *connection) failure {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if err := talk(conn, e.cfg.Send, e.cfg.Expect); err != nil {
		return conn.blame(cancelledOr(ctx, err))
	}
	c.Answered++
	return failure{}
}

// talk fails at the first byte that is not the expected one: a server that says something
// else may say less, too.
func talk(conn io.ReadWriter, send, expect string) error {
	if send != "" {
		if _, err := io.WriteString(conn, send); err != nil {
			return err
		}
	}
	got := make([]byte, 0, len(expect))
	for len(got) < len(expect) {
		n, err := conn.Read(got[len(got):cap(got)])
		got = got[:len(got)+n]
		if !bytes.HasPrefix([]byte(expect), got) {
			return fmt.Errorf("the answer begins %.40q, want %.40q", got, expect)
		}
		if err != nil && len(got) < len(expect) {
			return err
		}
	}
	return nil
}
