package servers

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/rstlab/rstlab/servers/rpc"
)

// MaxBody bounds the body of a request to the front, in bytes.
const MaxBody = 256 << 10

// NewFront returns an HTTP server that passes every request on to the backend.
// Timeout bounds each call; zero means no bound but the client's patience.
//
//	GET  /?q=TEXT            the same as /echo
//	POST /                   the same as /echo
//	GET  /echo?q=TEXT        200, TEXT
//	POST /echo               200, the body, at most MaxBody; larger: 413
//	GET  /compute?rounds=N   200, what the backend's compute answers
//	GET  /sleep?for=20ms     200, empty, after that time
//
// The backend's rpc.BadRequest becomes 400, a deadline 504, anything else that
// goes wrong behind the front 502. The body is then one line of text; that of
// 502 and 504 names the hop, the step and the reason, and the header X-Hop says
// backend:
//
//	hop front > backend 198.18.0.3:9000: dial: connect: connection reset by peer
//
// Idle keep-alive connections stay open for ten minutes. The caller closes the
// server and the client.
func NewFront(backend *rpc.Client, timeout time.Duration) *http.Server {
	f := &front{backend: backend, timeout: timeout}
	mux := http.NewServeMux()
	for _, path := range []string{"/{$}", "/echo"} {
		mux.HandleFunc("GET "+path, f.pass("echo", query("q")))
		mux.HandleFunc("POST "+path, f.pass("echo", body))
	}
	mux.HandleFunc("GET /compute", f.pass("compute", query("rounds")))
	mux.HandleFunc("GET /sleep", f.pass("sleep", query("for")))
	return &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       10 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
}

type front struct {
	backend *rpc.Client
	timeout time.Duration
}

// argument takes the payload of the call out of the request.
type argument func(http.ResponseWriter, *http.Request) ([]byte, error)

func query(name string) argument {
	return func(_ http.ResponseWriter, r *http.Request) ([]byte, error) {
		return []byte(r.URL.Query().Get(name)), nil
	}
}

func body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	return io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
}

// pass handles a route: argument in, one call, answer or error out.
func (f *front) pass(method string, arg argument) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		payload, err := arg(w, r)
		if err != nil {
			writeArgumentError(w, err)
			return
		}
		answer, err := f.call(r.Context(), method, payload)
		if err != nil {
			f.writeCallError(w, err)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write(answer) // fails when the client has gone
	}
}

func (f *front) call(ctx context.Context, method string, payload []byte) ([]byte, error) {
	if f.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, f.timeout)
		defer cancel()
	}
	return f.backend.Call(ctx, method, payload)
}

func writeArgumentError(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	if _, tooBig := errors.AsType[*http.MaxBytesError](err); tooBig {
		status = http.StatusRequestEntityTooLarge
	}
	writeError(w, status, "read body: "+err.Error())
}

func (f *front) writeCallError(w http.ResponseWriter, err error) {
	answered, ok := errors.AsType[*rpc.RemoteError](err)
	if ok && answered.Code == rpc.BadRequest {
		writeError(w, http.StatusBadRequest, answered.Message)
		return
	}
	reason := err.Error() // of a CallError, with the address
	if ok {
		reason = f.backend.Address + ": answer: " + reason
	}
	status := http.StatusBadGateway
	if errors.Is(err, context.DeadlineExceeded) {
		status = http.StatusGatewayTimeout
	}
	w.Header().Set("X-Hop", "backend")
	writeError(w, status, "hop front > backend "+reason)
}

// writeError answers text on one line, whatever it contains.
func writeError(w http.ResponseWriter, status int, text string) {
	http.Error(w, strings.Join(strings.Fields(text), " "), status)
}
