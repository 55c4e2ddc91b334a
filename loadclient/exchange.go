package loadclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
)

// Bounds of an answer: what is read of a body, and how much of a bad answer's
// first line is kept.
const (
	maxBody      = 64 << 20 // bytes
	maxErrorLine = 200      // bytes
)

var (
	errSecondDial  = errors.New("net/http gave up the client's only connection")
	errBodyTooLong = fmt.Errorf("body is longer than %d bytes", maxBody)
)

// newTransport is net/http's client side over conn and nothing else: it speaks
// HTTP/1.1 because the target is http, it asks for no compression, and it has
// no proxy.
//
// net/http silently repeats an idempotent request on a new connection when a
// kept one fails. Here that second dial gets errSecondDial.
func newTransport(conn net.Conn) *http.Transport {
	var taken atomic.Bool
	return &http.Transport{
		DisableCompression: true,
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			if taken.Swap(true) {
				return nil, errSecondDial
			}
			return conn, nil
		},
	}
}

// answer is what a server said to one request.
type answer struct {
	status int    // zero: no head arrived
	line   string // the start of the body's first line, at most maxErrorLine bytes
	last   bool   // the server announced that it closes the connection
}

// exchange sends one request and reads its answer to the end. The status is
// known even where the body then breaks off.
func exchange(ctx context.Context, transport *http.Transport, target string) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return answer{}, err
	}
	response, err := transport.RoundTrip(request) // follows no redirect
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	line, err := readBody(response.Body)
	return answer{response.StatusCode, line, response.Close}, err
}

// readBody reads to the end, which gives the connection back to the transport,
// and returns the start of the first line.
func readBody(body io.Reader) (string, error) {
	head, err := io.ReadAll(io.LimitReader(body, maxErrorLine))
	if err != nil {
		return "", err
	}
	switch _, err := io.CopyN(io.Discard, body, maxBody-maxErrorLine+1); {
	case err == nil:
		return "", errBodyTooLong
	case !errors.Is(err, io.EOF): // an unexpected one among them
		return "", err
	}
	line, _, _ := strings.Cut(string(head), "\n")
	return strings.TrimSpace(strings.ToValidUTF8(line, "?")), nil
}

// badStatus is a complete answer with a status from 400 up. It carries what the server
// wrote, such as "hop front > backend: connection reset by peer".
type badStatus struct {
	status int
	line   string
}

func (b badStatus) Error() string {
	if b.line == "" {
		return fmt.Sprintf("status %d", b.status)
	}
	return fmt.Sprintf("status %d: %s", b.status, b.line)
}
