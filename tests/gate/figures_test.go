package gate

import (
	"maps"
	"syscall"
	"testing"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// A client counts once as what became of it, and its SYN beside that.
func TestFigures(t *testing.T) {
	const ms = time.Millisecond
	again, once := loadclient.TCP{State: 1, SYNRetries: 1}, loadclient.TCP{State: 1}
	clients := []loadclient.Client{
		{Fate: scenario.Served, TCP: once, Planned: 5 * ms, Connected: 6 * ms, Ended: 7 * ms},
		{Fate: scenario.Served, TCP: again, Connected: 1000 * ms},
		{Fate: scenario.Served},
		{Fate: scenario.Reset, Errno: syscall.ECONNRESET, TCP: once, Connected: ms},
		{Fate: scenario.Truncated, Errno: syscall.ECONNRESET, TCP: again},
		{Fate: scenario.SYNDropped, TCP: again, Planned: ms, Ended: 4001 * ms}, // never connected
		{Fate: scenario.GhostOrKept, TCP: again, Connected: ms},
		{Fate: scenario.Queued, TCP: once, Connected: ms},
		{Fate: scenario.Closed, TCP: once, Connected: ms},
		{Fate: scenario.SYNDropped, TCP: once, Planned: ms, Ended: 901 * ms}, // before its SYN came again
		{Fate: scenario.Refused, TCP: once},
		{Fate: scenario.BadStatus},
	}
	want := Figures{Clients: 12, Served: 3, Resets: 2, SYNUnanswered: 5, Unanswered: 3, Other: 2, ConnectP99: 4000 * ms}
	if got := figuresOf(clients); got != want {
		t.Errorf("figuresOf() = %+v, want %+v", got, want)
	}
	first := scenario.Fates{
		scenario.Served: 2, scenario.Reset: 1, scenario.SYNDropped: 5, scenario.Queued: 1, scenario.Closed: 1, scenario.Refused: 1, scenario.BadStatus: 1,
	}
	if got := firstTry(clients); !maps.Equal(got, first) {
		t.Errorf("firstTry() = %v, want %v", got, first)
	}
}

// The 99th percentile of 100 clients is the second slowest.
func TestConnectP99(t *testing.T) {
	var clients []loadclient.Client
	for i := range 100 {
		clients = append(clients, loadclient.Client{Connected: time.Duration(i+1) * time.Second})
	}
	if got := figuresOf(clients).ConnectP99; got != 99*time.Second {
		t.Errorf("p99 is %v, want 99s", got)
	}
	if got := figuresOf(clients[:1]).ConnectP99; got != time.Second {
		t.Errorf("p99 of one client is %v, want 1s", got)
	}
}

// A limit may be reached, and not passed.
func TestJudge(t *testing.T) {
	f := Figures{Resets: 1, SYNUnanswered: 2, Unanswered: 3, ConnectP99: time.Second}
	limits := Limits{Resets: 1, SYNUnanswered: 2, Unanswered: 3, ConnectP99: time.Second}
	failed := func(l Limits, f Figures) (names string) {
		for _, v := range l.judge(f) {
			if !v.Passed {
				names += v.Name + " "
			}
		}
		return names
	}
	for _, test := range []struct {
		edit func(*Limits, *Figures)
		want string
	}{
		{func(l *Limits, f *Figures) {}, ""},
		{func(l *Limits, f *Figures) { f.Resets++ }, "resets "},
		{func(l *Limits, f *Figures) { f.SYNUnanswered++ }, "syn_unanswered "},
		{func(l *Limits, f *Figures) { f.Unanswered++ }, "unanswered "},
		{func(l *Limits, f *Figures) { f.Other++ }, "other_failures "},
		{func(l *Limits, f *Figures) { f.ConnectP99++ }, "connect_p99 "},
		{func(l *Limits, f *Figures) { f.ConnectP99++; l.ConnectP99 = 0 }, ""},
		{func(l *Limits, f *Figures) { *l = Limits{} }, "resets syn_unanswered unanswered "},
	} {
		l, f := limits, f
		test.edit(&l, &f)
		if got := failed(l, f); got != test.want {
			t.Errorf("%+v held against %+v: failed are %q, want %q", f, l, got, test.want)
		}
	}
}

// Rounding does not hide by what a limit was missed.
func TestJudgeTellsWhatDecided(t *testing.T) {
	for measured, want := range map[time.Duration]string{
		time.Second:               "1s",
		time.Second + 1:           "1.000000001s",
		1200*time.Millisecond + 1: "1.2s",
	} {
		verdicts := Limits{ConnectP99: time.Second}.judge(Figures{ConnectP99: measured})
		if got := verdicts[len(verdicts)-1].Measured; got != want {
			t.Errorf("%v held against 1s is told as %s, want %s", measured, got, want)
		}
	}
}

func TestSentence(t *testing.T) {
	r := Result{Fates: scenario.Fates{scenario.Served: 3, scenario.Reset: 1}}
	r.Verdicts = Limits{}.judge(Figures{Resets: 1})
	if got, want := r.Sentence(), "FAILED: resets 1, at most 0 (served 3, reset 1)"; got != want {
		t.Errorf("Sentence() = %q, want %q", got, want)
	}
	r.Verdicts = Limits{Resets: 1}.judge(Figures{Resets: 1})
	if got, want := r.Sentence(), "PASSED: served 3, reset 1"; got != want {
		t.Errorf("Sentence() = %q, want %q", got, want)
	}
}

// What the server asked listen(2) for is known if somaxconn did not cap it.
func TestListening(t *testing.T) {
	for _, test := range []struct {
		l    Listening
		want string
	}{
		{Listening{Addr: "0.0.0.0:80", Limits: []uint32{511}, Somaxconn: "4096"},
			"listens on 0.0.0.0:80 with an accept queue of limit 511 (it asked listen(2) for 511; somaxconn is 4096)"},
		{Listening{Addr: "[::]:80", Limits: []uint32{4096, 128}, Somaxconn: "4096"},
			"listens on [::]:80 by 2 sockets, each with an accept queue of limit 128 (it asked listen(2) for 128; somaxconn is 4096)"},
		{Listening{Addr: "[::]:80", Limits: []uint32{128}, Somaxconn: "128"},
			"listens on [::]:80 with an accept queue of limit 128 (it asked listen(2) for 128 or more; somaxconn is 128)"},
	} {
		if got := test.l.String(); got != test.want {
			t.Errorf("String() = %q, want %q", got, test.want)
		}
	}
}
