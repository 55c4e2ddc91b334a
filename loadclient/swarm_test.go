package loadclient_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab/scenario"
)

const ms = time.Millisecond

// started lists when each client started.
func started(r loadclient.Result) []time.Duration {
	var at []time.Duration
	for _, c := range r.Clients {
		at = append(at, c.Started)
	}
	return at
}

func TestArrivals(t *testing.T) {
	t.Parallel()
	paced := make([]time.Duration, 400)
	for i := range paced {
		paced[i] = time.Duration(i) * 20 * ms
	}
	for _, test := range []struct {
		name string
		cfg  loadclient.Config
		want []time.Duration
	}{
		{"burst", loadclient.Config{Clients: 400}, make([]time.Duration, 400)},
		{"gap=20ms", loadclient.Config{Clients: 400, Gap: 20 * ms}, paced},
		{"waves", loadclient.Config{Waves: scenario.Arrivals{{Clients: 2, At: 30 * ms}, {Clients: 2, Gap: 10 * ms}}},
			[]time.Duration{30 * ms, 30 * ms, 0, 10 * ms}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var dials atomic.Int64
				cfg := test.cfg
				cfg.Target, cfg.Requests, cfg.Dial = target, 2, dialPipe(&dials, answering(okAnswer))
				result := run(t, cfg)
				if got := started(result); !slices.Equal(got, test.want) {
					t.Errorf("clients started at %v, want %v", got, test.want)
				}
				if n := len(test.want); result.Fates[scenario.Served] != n || dials.Load() != int64(n) {
					t.Errorf("%v over %d connections, want served %d over as many", result.Fates, dials.Load(), n)
				}
			})
		})
	}
}

// A slow dial delays its own client only, and each client's time runs from its
// planned start.
func TestSlowClientsDelayNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		result := run(t, loadclient.Config{
			Target: target, Clients: 3, Gap: 20 * ms, Timeout: 100 * ms, Dial: dialNever,
		})
		for i, c := range result.Clients {
			planned := time.Duration(i) * 20 * ms
			if c.Fate != scenario.SYNDropped || c.Started != planned || c.Ended != planned+100*ms {
				t.Errorf("client %d: %v, started %v, ended %v, want syn_dropped, %v, %v",
					i, c.Fate, c.Started, c.Ended, planned, planned+100*ms)
			}
		}
	})
}

// The first client is answered at once, the second 600 ms later, long after the
// first one's time. Both connections end together.
func TestConnectionsAreHeldUntilTheLastFate(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{okAnswer, status("503 Busy", "busy")} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			var mu sync.Mutex
			var ends []time.Duration
			serve := func(conn io.ReadWriter) {
				answering(answer)(conn)
				mu.Lock()
				defer mu.Unlock()
				ends = append(ends, time.Since(start))
			}
			run(t, loadclient.Config{
				Target: target, Clients: 2, Gap: 600 * ms, Timeout: 500 * ms, Dial: dialPipe(new(atomic.Int64), serve),
			})
			synctest.Wait()
			if want := []time.Duration{600 * ms, 600 * ms}; !slices.Equal(ends, want) {
				t.Errorf("connections ended at %v, want %v", ends, want)
			}
		})
	}
}

func TestTimesAndBytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		serve := func(conn io.ReadWriter) {
			readRequest(bufio.NewReader(conn))
			<-time.After(20 * ms)
			io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
			<-time.After(30 * ms)
			io.WriteString(conn, "Content-Length: 0\r\n\r\n")
			silent(conn)
		}
		pipe := dialPipe(new(atomic.Int64), serve)
		slow := func(ctx context.Context, network, address string) (net.Conn, error) {
			<-time.After(10 * ms)
			return pipe(ctx, network, address)
		}
		c := run(t, loadclient.Config{Target: target, Waves: scenario.Arrivals{{Clients: 1, At: 5 * ms}}, Dial: slow}).Clients[0]
		got := []time.Duration{c.Planned, c.Started, c.Connected, c.FirstByte, c.Ended}
		if want := []time.Duration{5 * ms, 5 * ms, 15 * ms, 35 * ms, 65 * ms}; !slices.Equal(got, want) {
			t.Errorf("planned, started, connected, first byte, ended = %v, want %v", got, want)
		}
		request := "GET / HTTP/1.1\r\nHost: server.example\r\nUser-Agent: Go-http-client/1.1\r\n\r\n"
		if c.Sent != int64(len(request)) || c.Received != 38 {
			t.Errorf("sent %d and received %d bytes, want %d and 38", c.Sent, c.Received, len(request))
		}
	})
}

func TestCancel(t *testing.T) {
	t.Parallel()
	errStop := errors.New("stop")
	served := outcome{fate: scenario.Served, status: 200, answered: 1}
	before := outcome{fate: scenario.Failed, err: "cancelled before its start"}
	during := outcome{fate: scenario.Failed, err: "cancelled: stop"}
	at := func(o outcome, phase loadclient.Phase, ended time.Duration) outcome {
		o.phase, o.ended = phase, ended
		return o
	}
	for _, test := range []struct {
		name  string
		after time.Duration
		dial  dialFunc
		want  []outcome // of three clients, 20 ms apart
	}{
		{"at once", 0, dialNever, []outcome{before, before, before}},
		{"between starts", 30 * ms, dialPipe(new(atomic.Int64), answering(okAnswer)),
			[]outcome{served, at(served, 0, 20*ms), at(before, 0, 30*ms)}},
		{"in dial", 50 * ms, dialNever,
			[]outcome{at(during, loadclient.PhaseDial, 50*ms), at(during, loadclient.PhaseDial, 50*ms), at(during, loadclient.PhaseDial, 50*ms)}},
		{"awaiting answers", 50 * ms, dialPipe(new(atomic.Int64), silent),
			[]outcome{at(during, loadclient.PhaseAnswer, 50*ms), at(during, loadclient.PhaseAnswer, 50*ms), at(during, loadclient.PhaseAnswer, 50*ms)}},
		{"within answers", 50 * ms, dialPipe(new(atomic.Int64), func(conn io.ReadWriter) {
			answeringOnce("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")(conn)
			silent(conn)
		}), []outcome{
			{scenario.Failed, loadclient.PhaseAnswer, "", "cancelled: stop", 200, 0, 50 * ms},
			{scenario.Failed, loadclient.PhaseAnswer, "", "cancelled: stop", 200, 0, 50 * ms},
			{scenario.Failed, loadclient.PhaseAnswer, "", "cancelled: stop", 200, 0, 50 * ms},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				if test.after == 0 {
					cancel(errStop)
				} else {
					defer time.AfterFunc(test.after, func() { cancel(errStop) }).Stop()
				}
				result, err := loadclient.Run(ctx, loadclient.Config{Target: target, Clients: 3, Gap: 20 * ms, Dial: test.dial})
				if err != errStop {
					t.Errorf("Run() = %v, want %v", err, errStop)
				}
				var got []outcome
				for _, c := range result.Clients {
					got = append(got, outcomeOf(c))
				}
				if !slices.Equal(got, test.want) {
					t.Errorf("outcomes are\n%+v, want\n%+v", got, test.want)
				}
				if result.Elapsed != test.after {
					t.Errorf("run took %v, want %v", result.Elapsed, test.after)
				}
			})
		})
	}
}

// Decided comes once, when every client has its fate and every connection is open.
func TestDecidedComesBeforeTheClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var dials, ended, calls atomic.Int64
		serve := func(conn io.ReadWriter) {
			answering(okAnswer)(conn)
			ended.Add(1)
		}
		run(t, loadclient.Config{
			Target: target, Clients: 50, Gap: 20 * ms, Dial: dialPipe(&dials, serve),
			Decided: func() {
				synctest.Wait()
				calls.Add(1)
				if dials.Load() != 50 || ended.Load() != 0 {
					t.Errorf("%d connections were opened and %d have ended, want 50 and none", dials.Load(), ended.Load())
				}
			},
		})
		synctest.Wait()
		if calls.Load() != 1 || ended.Load() != 50 {
			t.Errorf("Decided came %d times and %d connections ended, want once and 50", calls.Load(), ended.Load())
		}
	})
}
