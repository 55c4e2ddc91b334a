package servers

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rstlab/rstlab/servers/rpc"
)

// serveBackend runs server on ln until the test ends.
func serveBackend(t *testing.T, server *rpc.Server, ln net.Listener) {
	t.Helper()
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	t.Cleanup(func() {
		server.Close()
		<-served
	})
}

// serveFront runs a front and returns its URL and an HTTP client for it.
func serveFront(t *testing.T, backend *rpc.Client, timeout time.Duration) (string, *http.Client) {
	t.Helper()
	ln := listen(t)
	front := NewFront(backend, timeout)
	served := make(chan error, 1)
	go func() { served <- front.Serve(ln) }()
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		front.Close()
		backend.Close()
		<-served
	})
	return "http://" + ln.Addr().String(), client
}

// reply is what a test compares of a response.
type reply struct {
	status int
	hop    string
	body   string
}

func get(t *testing.T, client *http.Client, method, url, body string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header.Get("X-Hop"), string(text)}
}

func TestFrontRoutes(t *testing.T) {
	ln := listen(t)
	serveBackend(t, NewBackend(), ln)
	url, client := serveFront(t, &rpc.Client{Address: ln.Addr().String(), PoolSize: 2}, 0)
	largest := strings.Repeat("x", MaxBody)
	for _, tt := range []struct {
		method, path, body string
		want               reply
	}{
		{"GET", "/", "", reply{200, "", ""}},
		{"GET", "/?q=a+b", "", reply{200, "", "a b"}},
		{"POST", "/", "body", reply{200, "", "body"}},
		{"GET", "/echo?q=hello", "", reply{200, "", "hello"}},
		{"POST", "/echo", "body", reply{200, "", "body"}},
		{"POST", "/echo", largest, reply{200, "", largest}},
		{"GET", "/compute?rounds=1", "", reply{200, "", "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"}},
		{"GET", "/sleep?for=1ms", "", reply{200, "", ""}},
		{"GET", "/compute?rounds=0", "", reply{400, "", "compute: rounds is \"0\", want a whole number from 1 to 10000000\n"}},
		{"GET", "/sleep", "", reply{400, "", "sleep: duration is \"\", want one from 0s to 1m0s, such as 20ms\n"}},
		{"POST", "/echo", largest + "x", reply{413, "", "read body: http: request body too large\n"}},
		{"GET", "/elsewhere", "", reply{404, "", "404 page not found\n"}},
	} {
		t.Run(fmt.Sprintf("%s %s body=%d", tt.method, tt.path, len(tt.body)), func(t *testing.T) {
			if got := get(t, client, tt.method, url+tt.path, tt.body); got != tt.want {
				t.Errorf("got %.200v, want %.200v", got, tt.want)
			}
		})
	}
}

// failingBackend is an rpc.Client whose dial fails like connect(2) with errno.
func failingBackend(errno syscall.Errno) *rpc.Client {
	dial := net.Dialer{Control: func(string, string, syscall.RawConn) error { return errno }}
	return &rpc.Client{Address: "127.0.0.1:9000", Dial: dial.DialContext}
}

func TestFrontBackendUnreachable(t *testing.T) {
	for _, tt := range []struct {
		errno syscall.Errno
		want  string
	}{
		{syscall.ECONNRESET, "hop front > backend 127.0.0.1:9000: dial: connection reset by peer\n"},
		{syscall.ECONNREFUSED, "hop front > backend 127.0.0.1:9000: dial: connection refused\n"},
	} {
		url, client := serveFront(t, failingBackend(tt.errno), 0)
		if got, want := get(t, client, "GET", url+"/", ""), (reply{502, "backend", tt.want}); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

// A real refusal names the system call too.
func TestFrontNamesTheSystemCall(t *testing.T) {
	ln := listen(t)
	address := ln.Addr().String()
	ln.Close()
	url, client := serveFront(t, &rpc.Client{Address: address}, 0)
	want := reply{502, "backend", "hop front > backend " + address + ": dial: connect: connection refused\n"}
	if got := get(t, client, "GET", url+"/", ""); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// The backend has stalled: the handshake completes, nobody answers.
func TestFrontDeadline(t *testing.T) {
	ln := listen(t)
	ln.Hold()
	serveBackend(t, NewBackend(), ln)
	address := ln.Addr().String()
	url, client := serveFront(t, &rpc.Client{Address: address}, 500*time.Millisecond)
	want := reply{504, "backend", "hop front > backend " + address + ": read: context deadline exceeded\n"}
	if got := get(t, client, "GET", url+"/", ""); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestFrontRemoteError(t *testing.T) {
	ln := listen(t)
	serveBackend(t, &rpc.Server{Handler: func(context.Context, string, []byte) ([]byte, error) {
		return nil, fmt.Errorf("first line\nsecond line")
	}}, ln)
	address := ln.Addr().String()
	url, client := serveFront(t, &rpc.Client{Address: address}, 0)
	want := reply{502, "backend", "hop front > backend " + address + ": answer: internal: first line second line\n"}
	if got := get(t, client, "GET", url+"/", ""); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Errors of the backend leave the client's keep-alive connection open.
func TestFrontKeepsAlive(t *testing.T) {
	ln := listen(t)
	serveBackend(t, NewBackend(), ln)
	url, client := serveFront(t, &rpc.Client{Address: ln.Addr().String()}, 0)
	dials := 0
	client.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		dials++
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	for range 10 {
		get(t, client, "GET", url+"/echo?q=x", "")
		get(t, client, "GET", url+"/sleep", "")
	}
	if dials != 1 {
		t.Errorf("20 requests took %d connections, want 1", dials)
	}
}
