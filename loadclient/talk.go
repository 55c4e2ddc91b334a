package loadclient

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
)

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
