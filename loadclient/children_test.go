package loadclient

import (
	"context"
	"encoding/gob"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

func hello(t *testing.T, answer http.HandlerFunc) string {
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return server.URL
}

// Children give the result that one process gives, for each engine and for a shard that
// is spread in its turn.
func TestChildren(t *testing.T) {
	t.Parallel()
	url := hello(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") })
	for _, cfg := range []Config{
		{Engine: HTTP, Clients: 20},
		{Engine: Epoll, Clients: 61, Requests: 3, Think: 5 * time.Millisecond},
		{Engine: Epoll, Waves: scenario.Arrivals{{Clients: 10, At: 20 * time.Millisecond}, {Clients: 11, Gap: time.Millisecond}}},
		{Engine: Epoll, Clients: 61, Shard: 2, Shards: 3},
	} {
		cfg.Target = url
		if cfg.Shards > 1 {
			cfg.Start = time.Now().Add(3 * time.Second) // by then every child must be ready
		}
		cfg = cfg.withDefaults()
		address, err := cfg.resolve(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		result, err := runChildren(t.Context(), cfg, address, 3)
		if err != nil {
			t.Fatalf("runChildren() = %v", err)
		}
		if err := result.Check(); err != nil {
			t.Error(err)
		}
		if result.Processes != 3 || result.Shard != cfg.Shard || result.Shards != cfg.Shards || result.Plan != cfg.digest() ||
			len(result.Clients) != cfg.ownClients() || result.Fates[scenario.Served] != cfg.ownClients() {
			t.Errorf("shard %d of %d, plan %s in %d processes: %v\nwant shard %d of %d, plan %s in 3, %d served",
				result.Shard, result.Shards, result.Plan, result.Processes, result, cfg.Shard, cfg.Shards, cfg.digest(), cfg.ownClients())
		}
		for i, c := range newSwarm(cfg, "").clients {
			got := result.Clients[i]
			if got.Number != c.Number || got.Planned != c.Planned || got.Answered != cfg.Requests {
				t.Errorf("record %d is client %d, planned at %v, %d answers, want client %d at %v, %d",
					i, got.Number, got.Planned, got.Answered, c.Number, c.Planned, cfg.Requests)
			}
		}
	}
}

// A cancelled run accounts for the clients in all children.
func TestChildrenCancelled(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 30)
	over := make(chan struct{})
	url := hello(t, func(http.ResponseWriter, *http.Request) {
		asked <- struct{}{}
		<-over
	})
	defer close(over)
	ctx, cancel := context.WithCancelCause(t.Context())
	errStop := errors.New("stop")
	go func() {
		for range 30 {
			<-asked
		}
		cancel(errStop)
	}()
	cfg := Config{Engine: Epoll, Target: url, Waves: scenario.Arrivals{{Clients: 30}, {Clients: 3, At: time.Hour}}, Timeout: 2 * time.Hour}.withDefaults()
	address, err := cfg.resolve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	result, err := runChildren(ctx, cfg, address, 3)
	if err != nil {
		t.Fatalf("runChildren() = %v", err)
	}
	if err := result.Check(); err != nil || result.Fates[scenario.Failed] != 33 {
		t.Errorf("%v, %v, want 33 failed", result, err)
	}
	texts := map[string]int{}
	for _, c := range result.Clients {
		texts[c.Error]++
	}
	if texts["cancelled: stop"] != 30 || texts["cancelled before its start"] != 3 {
		t.Errorf("the clients say %v, want 30 cancelled and 3 before their start", texts)
	}
}

// What a child that dies cannot report is a local error.
func TestChildThatDies(t *testing.T) {
	t.Parallel()
	reader, writer := io.Pipe()
	writer.Close()
	cfg := Config{Clients: 5, Shards: 2, Shard: 1}.withDefaults()
	c := &childProcess{plan: childPlan{Shard: 1, Shards: 2}, reports: gob.NewDecoder(reader)}
	c.gather(cfg, time.Now())
	if c.err == nil || !strings.HasPrefix(c.err.Error(), "it ended without a report") {
		t.Errorf("error is %v, want that there was no report", c.err)
	}
	if err := c.result.Check(); err != nil || c.result.Fates[scenario.LocalError] != 2 {
		t.Errorf("%v, %v, want 2 local errors", c.result, err)
	}
}

func TestProcessesRefused(t *testing.T) { // not parallel: it changes what the program has called
	called := childCalled.Load()
	defer childCalled.Store(called)
	childCalled.Store(false)
	_, err := Config{Clients: 1 << 40}.withDefaults().processes()
	if err == nil || !strings.HasSuffix(err.Error(), ": call loadclient.Child first in main or TestMain") {
		t.Errorf("processes() = %v, want to be told to call Child", err)
	}
	childCalled.Store(true)
	n, err := Config{Clients: 1 << 20, Engine: Epoll}.withDefaults().processes()
	if room, _, _ := Epoll.room(); err != nil || n != (1<<20+room-1)/room {
		t.Errorf("processes() = %d, %v, want the clients divided by %d", n, err, room)
	}
}

// shardsOf plays a run in so many shards, with clients that are made up.
func shardsOf(cfg Config, shards int) []Result {
	var all []Result
	for shard := range shards {
		cfg.Shard, cfg.Shards = shard, shards
		clients := newSwarm(cfg, "").clients
		for i := range clients {
			c := &clients[i]
			c.Started, c.Connected, c.FirstByte = c.Planned+2, c.Planned+3+time.Duration(c.Number)*time.Microsecond, 0
			c.end(c.Connected+time.Millisecond, failure{}, true)
		}
		r := cfg.result(cfg.Start, clients, time.Hour+time.Duration(shard))
		r.Stalls, r.ClockError = Stalls{Largest: time.Duration(shard), Total: 10, Count: 1}, time.Duration(1+shard)
		all = append(all, r)
	}
	return all
}

func TestMerge(t *testing.T) {
	t.Parallel()
	cfg := Config{Target: "http://h/", Clients: 1000, Gap: time.Millisecond, Start: time.Unix(1, 0)}.withDefaults()
	whole := shardsOf(cfg, 1)[0]
	for _, shards := range []int{1, 2, 3, 7} {
		results := shardsOf(cfg, shards)
		slices.Reverse(results)
		merged, err := Merge(results...)
		if err != nil {
			t.Fatalf("Merge of %d shards: %v", shards, err)
		}
		if !slices.Equal(merged.Clients, whole.Clients) || !merged.ConnectTimes().Equals(whole.ConnectTimes()) || merged.Starts() != whole.Starts() {
			t.Errorf("%d shards merge to other clients than one run has", shards)
		}
		if want := (Stalls{time.Duration(shards - 1), time.Duration(10 * shards), shards}); merged.Stalls != want {
			t.Errorf("stalls are %+v, want %+v", merged.Stalls, want)
		}
		if merged.Shard != 0 || merged.Shards != 1 || merged.Processes != shards || merged.Elapsed != time.Hour+time.Duration(shards-1) ||
			merged.ClockError != time.Duration(shards) {
			t.Errorf("%d shards merge to shard %d of %d in %d processes, %v, clock error %v", shards, merged.Shard, merged.Shards,
				merged.Processes, merged.Elapsed, merged.ClockError)
		}
	}
}

func TestMergeRefuses(t *testing.T) {
	t.Parallel()
	cfg := Config{Target: "http://h/", Clients: 10, Start: time.Unix(1, 0)}.withDefaults()
	three := shardsOf(cfg, 3)
	cfg.Timeout++
	other := shardsOf(cfg, 3)
	stolen := shardsOf(cfg, 3)
	stolen[1].Clients = append(slices.Clone(stolen[1].Clients[1:]), stolen[0].Clients[0])
	for _, test := range []struct {
		results []Result
		want    string
		misfits []int
	}{
		{nil, "merge: there are no results", nil},
		{[]Result{three[0], three[2]}, "merge: shard 1 of 3 is missing", nil},
		{[]Result{three[1], three[0], three[2], three[0]}, "merge: shard 0 is there twice", []int{1, 3}},
		{[]Result{three[0], other[1]}, "merge: shard 1 is of plan " + other[1].Plan + ", and shard 0 of plan " + three[0].Plan + ": want results of one run", []int{0, 1}},
		{stolen, "merge: client 0 of shard 1 does not belong there, or is there twice", []int{1}},
	} {
		_, err := Merge(test.results...)
		misfit, _ := errors.AsType[MergeError](err)
		if err == nil || err.Error() != test.want || !slices.Equal(misfit.Results, test.misfits) {
			t.Errorf("Merge() = %v, which blames %v, want %s, %v", err, misfit.Results, test.want, test.misfits)
		}
	}
}

// What the shards of one run have in common is in its plan, and nothing else is.
func TestPlan(t *testing.T) {
	t.Parallel()
	of := func(edit func(*Config)) string {
		c := Config{Target: "tcp://h:1", Send: "PING", Expect: "+", Clients: 10, Start: time.Unix(1, 0), Shards: 3}
		edit(&c)
		return c.Plan()
	}
	whole := of(func(*Config) {})
	for name, edit := range map[string]func(*Config){
		"shard":    func(c *Config) { c.Shard = 2 },
		"defaults": func(c *Config) { c.Requests, c.Timeout = 1, 30*time.Second },
		"waves":    func(c *Config) { c.Clients, c.Waves = 0, scenario.Arrivals{{Clients: 10}} },
		"clock":    func(c *Config) { c.ClockAhead, c.ClockError = 1, 2 },
	} {
		if got := of(edit); got != whole {
			t.Errorf("Plan() with another %s is %s, want %s", name, got, whole)
		}
	}
	for name, edit := range map[string]func(*Config){
		"engine":   func(c *Config) { c.Engine = Epoll },
		"target":   func(c *Config) { c.Target = "tcp://h:2" },
		"send":     func(c *Config) { c.Send = "PONG" },
		"expect":   func(c *Config) { c.Expect = "-" },
		"clients":  func(c *Config) { c.Clients++ },
		"gap":      func(c *Config) { c.Gap++ },
		"requests": func(c *Config) { c.Requests = 2 },
		"think":    func(c *Config) { c.Think++ },
		"timeout":  func(c *Config) { c.Timeout++ },
		"start":    func(c *Config) { c.Start = c.Start.Add(1) },
		"shards":   func(c *Config) { c.Shards++ },
	} {
		if of(edit) == whole {
			t.Errorf("Plan() with another %s is the same, %s", name, whole)
		}
	}
	r := Config{Clients: 1}.withDefaults().result(time.Now(), nil, 0)
	if want := (Config{Clients: 1}).Plan(); r.Plan != want {
		t.Errorf("the result is of plan %s, want %s", r.Plan, want)
	}
}

// A run begins by the clock that its start is told by, and its result says how well that
// is known.
func TestClockAhead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, ahead := range []time.Duration{0, time.Second, -time.Second} {
			begin := time.Now()
			cfg := Config{
				Target: "http://h/", Clients: 1, Start: begin.Add(5 * time.Second), ClockAhead: ahead, ClockError: 80 * time.Microsecond,
				Dial: func(context.Context, string, string) (net.Conn, error) { return nil, syscall.ECONNREFUSED },
			}
			result, err := Run(t.Context(), cfg)
			if waited := time.Since(begin); err != nil || waited != 5*time.Second+ahead || !result.Start.Equal(cfg.Start) || result.ClockError != cfg.ClockError {
				t.Errorf("with a clock %v ahead Run() began after %v, and says %v, clock error %v, %v; want %v, %v, %v",
					ahead, waited, result.Start, result.ClockError, err, 5*time.Second+ahead, cfg.Start, cfg.ClockError)
			}
		}
	})
}

// Children hold a conversation that is not HTTP as their parent does.
func TestChildrenTalk(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if _, err := io.ReadFull(conn, make([]byte, len("PING"))); err == nil {
					io.WriteString(conn, "+PONG")
				}
			}()
		}
	}()
	cfg := Config{Target: "tcp://" + ln.Addr().String(), Send: "PING", Expect: "+PONG", Clients: 20}.withDefaults()
	result, err := runChildren(t.Context(), cfg, ln.Addr().String(), 2)
	if err != nil || result.Fates[scenario.Served] != 20 || result.Processes != 2 {
		t.Errorf("runChildren() in %d processes = %v, %v, want 20 served in 2", result.Processes, result, err)
	}
}
