package wire

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// serveHello answers requests in the server's host until stop.
func serveHello(t *testing.T, w *Wire) (stop func()) {
	t.Helper()
	ln, err := w.Server.Listen("tcp", ":8080", 16)
	must(t, err)
	web := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(rw, "hello "+r.RemoteAddr)
	})}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := web.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return func() {
		web.Close()
		serving.Wait()
	}
}

// Package net's own sockets talk over the wire in real time. No packet arrives before
// its time.
func TestLiveCarriesHTTP(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.SetRTT(20 * time.Millisecond)
	stopServing, stopLive := serveHello(t, w), w.GoLive()
	defer stopServing()
	transport := &http.Transport{DialContext: w.Client.DialContext}
	defer transport.CloseIdleConnections()
	for _, url := range []string{"http://" + w.Server.Addr() + ":8080/", "http://[" + w.Server.Addr6() + "]:8080/"} {
		checkHello(t, &http.Client{Transport: transport}, url)
	}
	stopLive()
	handshakes := 0
	for _, p := range w.Packets() {
		if p.Is(scenario.SYN) || p.Is(scenario.SYN|scenario.ACK) {
			handshakes++
		}
		for _, at := range p.Arrived {
			if at < p.Sent+10*time.Millisecond {
				t.Errorf("%v arrived at %v, want 10ms later or more", p, at)
			}
		}
	}
	if handshakes != 4 {
		t.Errorf("%d SYNs and SYN-ACKs passed, want two of each", handshakes)
	}
}

func checkHello(t *testing.T, client *http.Client, url string) {
	t.Helper()
	resp, err := client.Get(url)
	must(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || len(text) < len("hello 198.18.0.1:1") || string(text[:6]) != "hello " {
		t.Errorf("%s: %s, %q, %v; want hello", url, resp.Status, text, err)
	}
}

// Live ends when it is told to: before it has begun, between two events, and while it
// waits for one.
func TestLiveEnds(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.At(0, func() error { t.Error("a wire that never lived did something"); return nil })
	must(t, w.Live(ctx))
	w.forget()

	ctx, cancel = context.WithCancel(t.Context())
	w.At(0, func() error { cancel(); return nil })
	happened := false
	w.At(time.Hour, func() error { happened = true; return nil })
	must(t, w.Live(ctx))
	if happened || w.Now() >= time.Hour {
		t.Errorf("a wire that ended at once did what was due in an hour; now is %v", w.Now())
	}

	started := make(chan struct{})
	w.At(0, func() error { close(started); return nil })
	stop := w.GoLive()
	<-started
	stop()
	must(t, w.Run()) // goes on where Live ended, in virtual time
	if !happened || w.Now() != time.Hour {
		t.Errorf("what was due in an hour happened: %v; now is %v", happened, w.Now())
	}
}

// Live goes on from Now, an hour of virtual time here, and returns the first error.
func TestLiveReturnsErrors(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.At(time.Hour, func() error { return nil })
	must(t, w.Run())
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	want := errors.New("scheduled")
	due, at := w.Now()+10*time.Millisecond, time.Duration(0)
	w.At(due, func() error { at = w.Now(); return want })
	if err := w.Live(ctx); err != want || at < due {
		t.Errorf("Live returned %v at %v, want %v at %v or later", err, at, want, due)
	}
}

// Three clients fill the queue. The SYNs of the next five are dropped at 0.2 s and,
// repeated by the client's kernel, at 1.2 s.
func TestPlayWithAHorizon(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	c, err := w.Calibrate()
	must(t, err)
	s := scenario.Defaults()
	s.Arrivals = scenario.Arrivals{{Clients: 3}, {Clients: 5, At: 200 * time.Millisecond}}
	s.RTT, s.Backlog, s.Horizon = 20*time.Millisecond, 2, 1500*time.Millisecond
	s.Accept.Mode = scenario.AcceptNever
	o := compare(t, w.Play, s, c)
	if o.Client["TCPSynRetrans"] != 5 || o.Server["ListenDrops"] != 10 {
		t.Errorf("%d SYNs were repeated and %d dropped, want 5 and 10", o.Client["TCPSynRetrans"], o.Server["ListenDrops"])
	}
}
