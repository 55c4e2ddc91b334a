package loadclient_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab/scenario"
)

var errStop = errors.New("stop")

// The run is cancelled when the server has accepted so many clients and answers nobody.
// Some more would start in an hour.
func TestCancelAccountsForEverybody(t *testing.T) {
	withEngines(t, func(t *testing.T, engine loadclient.Engine) {
		for _, after := range []int64{0, 1, 25, 50} {
			ctx, cancel := context.WithCancelCause(t.Context())
			server := listen(t, loopback)
			if after == 0 {
				cancel(errStop)
			}
			server.serve(func(conn *net.TCPConn) {
				defer conn.Close()
				if server.accepted.Load() >= after {
					cancel(errStop)
				}
				silent(conn)
			})
			result, err := loadclient.Run(ctx, loadclient.Config{
				Engine: engine, Target: server.target(), Timeout: 2 * time.Hour,
				Waves: scenario.Arrivals{{Clients: 50}, {Clients: 5, At: time.Hour, Gap: time.Second}},
			})
			if err != errStop || result.Fates[scenario.Failed] != 55 || len(result.Clients) != 55 {
				t.Errorf("cancelled after %d: %v, %v, want %v and 55 failed", after, err, result, errStop)
			}
			for _, c := range result.Clients {
				if want := c.Started == 0; (c.Error == "cancelled before its start") != want || !want && c.Error != "cancelled: stop" {
					t.Errorf("cancelled after %d: client %d started at %v and says %q", after, c.Number, c.Started, c.Error)
				}
			}
			server.stop()
		}
	})
}

// Whenever a run is cancelled, each client is served or failed, and Run's own check of the
// records holds.
func TestCancelAtAnyMoment(t *testing.T) {
	const seed = 1
	t.Logf("seed %d", seed)
	withEngines(t, func(t *testing.T, engine loadclient.Engine) {
		random := rand.New(rand.NewPCG(seed, uint64(engine)))
		server := listen(t, loopback).serve(closing(answering(okAnswer)))
		for range 30 {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer time.AfterFunc(time.Duration(random.Int64N(int64(8*ms))), func() { cancel(errStop) }).Stop()
			result, err := loadclient.Run(ctx, loadclient.Config{
				Engine: engine, Target: server.target(), Requests: 2, Think: 2 * ms,
				Waves: scenario.Arrivals{{Clients: 20}, {Clients: 20, At: 2 * ms, Gap: 200 * time.Microsecond}},
			})
			if err != nil && err != errStop {
				t.Errorf("Run() = %v, want nothing or %v", err, errStop)
			}
			if n := result.Fates[scenario.Served] + result.Fates[scenario.Failed]; n != 40 || err == nil && result.Fates[scenario.Served] != 40 {
				t.Errorf("%v: %v, want 40 served or failed", err, result)
			}
			cancel(nil)
		}
	})
}

func TestThink(t *testing.T) {
	withEngines(t, func(t *testing.T, engine loadclient.Engine) {
		server := listen(t, loopback).serve(closing(answering(okAnswer)))
		result := run(t, loadclient.Config{Engine: engine, Target: server.target(), Clients: 10, Requests: 3, Think: 30 * ms})
		checkAll(t, result, scenario.Served)
		for _, c := range result.Clients {
			if took := c.Ended - c.FirstByte; took < 60*ms || c.Answered != 3 {
				t.Errorf("client %d was answered %d times in %v, want 3 times in 60ms or more", c.Number, c.Answered, took)
			}
		}
		result = run(t, loadclient.Config{Engine: engine, Target: server.target(), Clients: 10, Requests: 2, Think: time.Hour, Timeout: short})
		checkAll(t, result, scenario.TimedOut)
	})
}

// A client that thinks learns that the server has closed meanwhile. The server still reads,
// so that a late request is not answered by a RST.
func TestClosedWhileThinking(t *testing.T) {
	withEngines(t, func(t *testing.T, engine loadclient.Engine) {
		server := listen(t, loopback).serve(func(conn *net.TCPConn) {
			defer conn.Close()
			answeringOnce(okAnswer)(conn)
			conn.CloseWrite()
			silent(conn)
		})
		result := run(t, loadclient.Config{Engine: engine, Target: server.target(), Clients: 10, Requests: 2, Think: 50 * ms})
		checkAll(t, result, scenario.Closed)
	})
}
