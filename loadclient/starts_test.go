package loadclient

import (
	"strings"
	"testing"
	"time"
	"unsafe"
)

// paced is a result whose clients were planned 20 µs apart and started as late as told.
func paced(late ...time.Duration) Result {
	var r Result
	for i, l := range late {
		planned := time.Duration(1+i) * 20 * time.Microsecond
		r.Clients = append(r.Clients, Client{Number: i, Planned: planned, Started: planned + l, Connected: planned + l + time.Millisecond})
	}
	return r
}

func TestStarts(t *testing.T) {
	t.Parallel()
	const us = time.Microsecond
	hundred := make([]time.Duration, 200)
	hundred[100], hundred[101], hundred[102] = 9*us, 8*us, 7*us
	for _, test := range []struct {
		name string
		r    Result
		want Starts
	}{
		{"nobody", Result{}, Starts{}},
		{"one", paced(3 * us), Starts{Count: 1, P99: 3 * us, Late: 3 * us}},
		{"drifting", paced(0, 1*us, 2*us, 3*us), Starts{Count: 4, Width: 63 * us, Hole: 1 * us, P99: 3 * us, Late: 3 * us, Drift: 3 * us}},
		{"a hole", paced(0, 0, 30*us, 10*us, 0), Starts{Count: 5, Width: 80 * us, Hole: 30 * us, P99: 30 * us, Late: 30 * us}},
		{"two of two hundred", Result{Clients: paced(hundred...).Clients}, Starts{Count: 200, Width: 3980 * us, Hole: 9 * us, P99: 7 * us, Late: 9 * us}},
	} {
		if got := test.r.Starts(); got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
}

// A client that the swarm started 100 ms late has waited for those too.
func TestNoCoordinatedOmission(t *testing.T) {
	t.Parallel()
	h := paced(0, 0, 100*time.Millisecond).ConnectTimes()
	if h.TotalCount() != 3 || h.ValueAtPercentile(50) != 1000 || h.Max() < 101_000 || h.Max() > 101_100 {
		t.Errorf("%d connects, half of them in %d µs, all in %d, want 3, 1000, 101000", h.TotalCount(), h.ValueAtPercentile(50), h.Max())
	}
	if h := paced(0).AnswerTimes(); h.TotalCount() != 0 {
		t.Errorf("%d answers, want none", h.TotalCount())
	}
}

func TestStalls(t *testing.T) {
	t.Parallel()
	var s Stalls
	for _, late := range []time.Duration{0, time.Millisecond, 5 * time.Millisecond, 2 * time.Millisecond} {
		s.add(late)
	}
	if want := (Stalls{5 * time.Millisecond, 7 * time.Millisecond, 2}); s != want {
		t.Errorf("stalls are %+v, want %+v", s, want)
	}
	for _, other := range []Stalls{{}, {6 * time.Millisecond, 6 * time.Millisecond, 1}, {4 * time.Millisecond, 7 * time.Millisecond, 3}} {
		if got := s.or(other); got != s {
			t.Errorf("the worse of %+v and %+v is %+v", s, other, got)
		}
		if got := other.or(s); got != s {
			t.Errorf("the worse of %+v and %+v is %+v", other, s, got)
		}
	}
}

func TestWriteCSV(t *testing.T) {
	t.Parallel()
	r := sample()
	r.Clients[2].Error = `says "no", twice`
	var b strings.Builder
	if err := r.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	const want = `number,fate,phase,errno,error,status,answered,planned_ns,started_ns,connected_ns,first_byte_ns,ended_ns,sent_bytes,received_bytes,local,bytes_acked,syn_retries,retransmits,state
0,served,,,,200,1,1,2,3,4,5,60,90,198.18.0.1:40000,61,1,0,1
1,reset,read,ECONNRESET,read: connection reset by peer,,0,0,2,3,,6,60,0,,,,,
2,failed,,,"says ""no"", twice",,0,9,,,,7,0,0,,,,,
`
	if b.String() != want {
		t.Errorf("WriteCSV writes\n%s, want\n%s", b.String(), want)
	}
}

// The slices of an engine and of its Result are all that grows with the clients.
func TestBytesPerClient(t *testing.T) {
	t.Parallel()
	const place = 4 // in the pacer's order
	if size := unsafe.Sizeof(Client{}) + unsafe.Sizeof(socketState{}) + place; size > 256 {
		t.Errorf("a client takes %d + %d + %d = %d bytes, want at most 256", unsafe.Sizeof(Client{}), unsafe.Sizeof(socketState{}), place, size)
	} else {
		t.Logf("a client takes %d bytes", size)
	}
}
