package loadclient

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"syscall"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// sample is a result with one client served after a SYN retry, one reset and
// one that never started.
func sample() Result {
	return Result{
		Version: 1, Engine: Epoll, Plan: "6c3f", Processes: 1, Start: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC),
		Target: "http://198.18.0.2:8080/",
		Clients: []Client{
			{Number: 0, Fate: scenario.Served, Status: 200, Answered: 1, Planned: 1, Started: 2, Connected: 3, FirstByte: 4, Ended: 5,
				Sent: 60, Received: 90, Local: netip.MustParseAddrPort("198.18.0.1:40000"), TCP: TCP{SYNRetries: 1, State: 1, BytesAcked: 61}},
			{Number: 1, Fate: scenario.Reset, Phase: PhaseRead, Errno: syscall.ECONNRESET,
				Error: "read: connection reset by peer", Started: 2, Connected: 3, Ended: 6, Sent: 60},
			{Number: 2, Fate: scenario.Failed, Error: "cancelled before its start", Planned: 9, Ended: 7},
		},
		Fates:   scenario.Fates{scenario.Served: 1, scenario.Reset: 1, scenario.Failed: 1},
		Elapsed: 8,
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		edit func(*Result)
		want string // empty: passes
	}{
		{"sound", func(r *Result) {}, ""},
		{"no fate", func(r *Result) { r.Clients[1].Fate = 0 }, "client 1: fate is undecided"},
		{"served with an error", func(r *Result) { r.Clients[0].Error = "x" }, `client 0: fate is served with error "x"`},
		{"reset without an error", func(r *Result) { r.Clients[1].Error = "" }, `client 1: fate is reset with error ""`},
		{"twice the same client", func(r *Result) { r.Clients[1].Number = 0 }, "record 1 is client 0, want the order of their numbers, here 1"},
		{"wrong fates", func(r *Result) { r.Fates[scenario.Reset]++ }, "fates say reset 2, the clients 1"},
		{"a client without record", func(r *Result) { r.Fates[scenario.Undecided] = 1 }, "fates add up to 4 of 3 clients"},
		{"started too early", func(r *Result) { r.Clients[0].Planned = 3 },
			"client 0: planned, started, connected, first byte and ended are [3ns 2ns 3ns 4ns 5ns], want them in order"},
		{"answered before connected", func(r *Result) { r.Clients[0].Connected = 5 },
			"client 0: planned, started, connected, first byte and ended are [1ns 2ns 5ns 4ns 5ns], want them in order"},
		{"ended after the run", func(r *Result) { r.Elapsed = 6 }, "client 2: ended at 7ns, after the run's 6ns"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := sample()
			test.edit(&r)
			got := ""
			if err := r.Check(); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("Check() = %q, want %q", got, test.want)
			}
		})
	}
}

const sampleJSON = `{"version":1,"engine":"epoll","target":"http://198.18.0.2:8080/","plan":"6c3f","shard":0,"shards":0,"processes":1,` +
	`"start":"2026-11-24T00:00:00Z","clients":[` +
	`{"number":0,"fate":"served","status":200,"answered":1,` +
	`"planned_ns":1,"started_ns":2,"connected_ns":3,"first_byte_ns":4,"ended_ns":5,"sent_bytes":60,"received_bytes":90,` +
	`"local":"198.18.0.1:40000","tcp":{"bytes_acked":61,"syn_retries":1,"retransmits":0,"state":1}},` +
	`{"number":1,"fate":"reset","phase":"read","errno":104,"error":"read: connection reset by peer",` +
	`"planned_ns":0,"started_ns":2,"connected_ns":3,"ended_ns":6,"sent_bytes":60,"errno_name":"ECONNRESET"},` +
	`{"number":2,"fate":"failed","error":"cancelled before its start","planned_ns":9,"ended_ns":7}],` +
	`"fates":{"failed":1,"reset":1,"served":1},"elapsed_ns":8,"stalls":{"largest_ns":0,"total_ns":0,"count":0},` +
	`"starts":{"count":2,"width_ns":0,"hole_ns":0,"late_p99_ns":2,"late_max_ns":2,"drift_ns":1},` +
	`"connect_times":{"count":2,"p50_ns":0,"p90_ns":0,"p99_ns":0,"p999_ns":0,"max_ns":0,"hdr":"HISTFAAAACR42pJpmSzMwMDAyAABzFAazL82eQmD/QeIAAsgAAD//1WHBIw="},` +
	`"answer_times":{"count":1,"p50_ns":0,"p90_ns":0,"p99_ns":0,"p999_ns":0,"max_ns":0,"hdr":"HISTFAAAACR42pJpmSzMwMDAyAABzFAazL82eQmD/QeIABMgAAD//1WFBIo="}}`

func TestJSON(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(sample())
	if err != nil {
		t.Fatalf("Marshal() = %v", err)
	}
	if string(text) != sampleJSON {
		t.Errorf("Marshal() =\n%s, want\n%s", text, sampleJSON)
	}
	var back Result
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatalf("Unmarshal() = %v", err)
	}
	if !reflect.DeepEqual(back, sample()) {
		t.Errorf("round trip gives\n%+v, want\n%+v", back, sample())
	}
	const other = `{"version":2}`
	if err := json.Unmarshal([]byte(other), &back); err == nil || err.Error() != "version of the result is 2, want 1" {
		t.Errorf("Unmarshal(%s) = %v, want the version refused", other, err)
	}
}

func TestString(t *testing.T) {
	t.Parallel()
	r := sample()
	r.Elapsed = 1042 * time.Millisecond
	r.Clients[0].FirstByte = r.Clients[0].Planned + 1041*time.Millisecond
	r.Clients[0].Started, r.Clients[1].Started = time.Millisecond, 2*time.Millisecond
	r.Clients = append(r.Clients, r.Clients[1])
	r.Clients[0].Planned, r.Clients[1].Planned, r.Clients[3].Planned = 0, 0, 0
	r.Clients[3].Started = 4 * time.Millisecond
	r.Clients[0].FirstByte = 1041 * time.Millisecond
	r.Stalls = Stalls{Largest: 14500 * time.Microsecond, Total: 20 * time.Millisecond, Count: 3}
	r.Clients[3].Number = 3
	r.Fates[scenario.Reset]++
	const want = `4 clients of http://198.18.0.2:8080/ in 1.042s: served 1, reset 2, failed 1
     2 reset in read, such as client 1: read: connection reset by peer
     1 failed, such as client 2: cancelled before its start
connected: 3; p50 0s, p90 0s, p99 0s, max 0s
answered: 1; p50 1.041s, p90 1.041s, p99 1.041s, max 1.041s
slowest answer: client 0, 1.041s after its planned start
SYN retries: 1 clients, at most 1 each, such as client 0
starts: first to last 3ms, longest hole 2ms, 99 % at most 4ms late, drift 3ms
this machine stood still 3 times for over 1ms, 14.5ms at most`
	if got := r.String(); got != want {
		t.Errorf("String() =\n%s, want\n%s", got, want)
	}
}

func TestStringBoundsTheKinds(t *testing.T) {
	t.Parallel()
	r := Result{Target: "http://h/", Fates: scenario.Fates{scenario.Failed: 20}}
	for i := range 20 {
		c := Client{Number: i, Fate: scenario.Failed, Phase: PhaseAnswer, Error: fmt.Sprintf("status 502: port %d", max(i, 2))}
		r.Clients = append(r.Clients, c)
	}
	const want = `20 clients of http://h/ in 0s: failed 20
     3 failed in answer, such as client 0: status 502: port 2
     1 failed in answer, such as client 3: status 502: port 3
     1 failed in answer, such as client 4: status 502: port 4
     1 failed in answer, such as client 5: status 502: port 5
     1 failed in answer, such as client 6: status 502: port 6
     1 failed in answer, such as client 7: status 502: port 7
     1 failed in answer, such as client 8: status 502: port 8
     1 failed in answer, such as client 9: status 502: port 9
     1 failed in answer, such as client 10: status 502: port 10
     1 failed in answer, such as client 11: status 502: port 11
     1 failed in answer, such as client 12: status 502: port 12
     1 failed in answer, such as client 13: status 502: port 13
       and 6 more kinds`
	if got := r.String(); got != want {
		t.Errorf("String() =\n%s, want\n%s", got, want)
	}
}
