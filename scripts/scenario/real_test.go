package main

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/rstlab/rstlab/scripts/internal/captured"
	"github.com/rstlab/rstlab/scripts/internal/program"
)

// needTUN skips the test where a lab or its TUN devices cannot be had. A lab of the
// program would fail there.
func needTUN(t *testing.T) {
	t.Helper()
	netlab.New(t)
	if err := netlab.TUNAvailable(); err != nil {
		t.Skip(err)
	}
}

// finish is deferred, as in the program.
func finish(t *testing.T, lab *program.Lab) {
	if lab.Close(recover()) {
		t.Error("the lab failed; what it says is above")
	}
}

func read(t *testing.T, text string) scenario.Scenario {
	t.Helper()
	s, err := scenario.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// playReal plays a scenario in real time.
func playReal(t *testing.T, text string) scenario.Outcome {
	t.Helper()
	lab := &program.Lab{Name: "scenario"}
	defer finish(t, lab)
	e, err := open(lab, "real", read(t, text))
	if err != nil {
		t.Fatal(err)
	}
	outcome, err := e.play(e.scenario)
	if err != nil {
		t.Fatal(err)
	}
	return outcome
}

// The scenarios in real time are played one after another, and each waits long before it
// does the next thing: the kernel makes and closes the labs of other tests under a lock
// that would hold a burst up. The counters are those that no timer of the kernel can
// move, since on a busy machine one may fire.

// The swarm over a veth pair.
//
//	client ──veth── server: front ──lo── backend
func TestRealOverVeth(t *testing.T) {
	for _, test := range []struct{ name, text, fates, server string }{
		{"accept=now", `{"arrivals":[{"clients":100}],"backlog":4096,"accept":{"mode":"now"},"write":"0s","horizon":"1s"}`,
			"served 100", "PassiveOpens 100"},
		{"accept=every,write=never", `{"arrivals":[{"clients":5}],"backlog":64,"accept":{"mode":"every","every":"600ms"},"horizon":"900ms"}`,
			"served 2, queued 3", "PassiveOpens 5"},
		{"accept=from,ipv6", `{"arrivals":[{"clients":10}],"backlog":64,"accept":{"mode":"from","from":"300ms"},"write":"0s","ipv6":true,"horizon":"600ms"}`,
			"served 10", "PassiveOpens 10"},
		{"accept=paused", `{"arrivals":[{"clients":3},{"clients":4,"at":"600ms"}],"backlog":64,
			"accept":{"mode":"paused","paused":[{"from":"300ms","to":"2s"}]},"write":"0s","horizon":"900ms"}`, "served 3, queued 4", "PassiveOpens 7"},
		// One is queued, then nine more have room, and the next one has not.
		{"accept=never,listen again,close", `{"arrivals":[{"clients":1},{"clients":9,"at":"400ms"},{"clients":1,"at":"600ms"},{"clients":3,"at":"1s"}],
			"backlog":0,"accept":{"mode":"never"},"listen_again":[{"at":"200ms","backlog":9}],"close_listener":"800ms","horizon":"1200ms"}`,
			"syn_dropped 1, reset 10, refused 3", "EstabResets 10, ListenDrops 1, ListenOverflows 1, PassiveOpens 10"},
	} {
		t.Run(test.name, func(t *testing.T) {
			netlab.New(t) // skips where there can be none
			o := playReal(t, test.text)
			server := o.Server.Only("PassiveOpens", "ListenOverflows", "ListenDrops", "EmbryonicRsts", "EstabResets").String()
			if fates := o.Fates.String(); fates != test.fates || server != test.server {
				t.Errorf("fates are %s, counters %s; want %s, %s", fates, server, test.fates, test.server)
			}
		})
	}
}

// With a round-trip time all SYNs of the second wave meet the server before the first
// ACK does: 65 in the SYN queue, the rest with a SYN cookie. One ACK finds a place, 64 are
// answered by a RST, and 35 by nothing. The round trip is long, so that the second wave
// stays together on a busy machine too, and short of a second, when SYNs are repeated.
//
//	client ──wire, 400 ms── server: front ──lo── backend
func TestRealOverWire(t *testing.T) {
	needTUN(t)
	o := playReal(t, `{"arrivals":[{"clients":64},{"clients":100,"at":"1s"}],"rtt":"400ms","backlog":64,
		"accept":{"mode":"never"},"write":"never","abort_on_overflow":true,"syncookies":1,"horizon":"2500ms"}`)
	if got, want := o.Fates.String(), "queued 65, ghost 35, reset 64"; got != want {
		t.Errorf("fates are %s, want %s", got, want)
	}
	want := scenario.Counters{
		"EmbryonicRsts": 64, "OutRsts": 64, "ListenOverflows": 99, "ListenDrops": 99, "PassiveOpens": 65,
		"TCPReqQFullDoCookies": 35, "SyncookiesSent": 35, "SyncookiesRecv": 35,
	}
	if !maps.Equal(o.Server, want) {
		t.Errorf("the server's counters are %v, want %v", o.Server, want)
	}
}

// lastCleanup keeps the one that is called first.
type lastCleanup struct {
	*program.Lab
	cleanup func()
}

func (l *lastCleanup) Cleanup(f func()) {
	l.cleanup = f
	l.Lab.Cleanup(f)
}

// What runs on the hosts is stopped before they are closed, and what was begun when
// something failed is stopped too: nothing waits for it in vain.
func TestRealIsUndoneFirst(t *testing.T) {
	needTUN(t)
	lab := &program.Lab{Name: "scenario"}
	defer finish(t, lab)
	last := &lastCleanup{Lab: lab}
	e, err := open(last, "real", read(t, overflow))
	if err != nil {
		t.Fatal(err)
	}
	last.cleanup()
	if _, err := e.play(e.scenario); !errors.Is(err, context.Canceled) {
		t.Errorf("after the first cleanup play() = %v, want %v", err, context.Canceled)
	}
}

// In real time there is no end without a horizon, and what makes no sense with one is
// refused before there is a lab.
func TestRealTakesAHorizon(t *testing.T) {
	netlab.New(t)
	lab := &program.Lab{Name: "scenario"}
	defer finish(t, lab)
	const waves = `{"arrivals":[{"clients":3,"at":"1s","gap":"2ms"}],"backlog":1,"accept":{"mode":"never"}`
	e, err := openReal(lab, read(t, waves+`}`))
	if want := 3504 * time.Millisecond; err != nil || e.scenario.Horizon != want {
		t.Errorf("openReal() plays %v, %v, want a horizon of %v", e.scenario, err, want)
	}
	_, err = openReal(nil, read(t, waves+`,"rtt":"1s"}`))
	if want := "rtt is 1s, want less than 1s in real time, after which a client repeats its SYN"; err == nil || err.Error() != want {
		t.Errorf("openReal() = %v, want %s", err, want)
	}
}

// The kernel's table of descriptors has room for a swarm and its server.
func TestRehearse(t *testing.T) {
	const clients = 1000
	before := tableSize(t)
	if err := rehearse(t.Context(), clients); err != nil {
		t.Fatal(err)
	}
	if after := tableSize(t); after < 2*clients {
		t.Errorf("after the rehearsal of %d clients the table has %d descriptors, and %d before; want %d or more", clients, after, before, 2*clients)
	}
}

// tableSize is FDSize in /proc/self/status, as in:
//
//	FDSize:	64
func tableSize(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "\nFDSize:\t")
	number, _, _ := strings.Cut(rest, "\n")
	n, err := strconv.Atoi(number)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRunCompare(t *testing.T) {
	needTUN(t)
	var status int
	stdout, stderr := captured.Run(t, overflow, func() { status = player{options{engine: "virtual", compare: true}}.Run() })
	var o scenario.Outcome
	if err := json.Unmarshal([]byte(stdout), &o); err != nil || o.Fates.String() != "queued 2, ghost 1" {
		t.Errorf("Run() printed %s, which is %v, %v", stdout, o.Fates, err)
	}
	if want := "predict and virtual agree\n"; status != 0 || stderr != want {
		t.Errorf("Run() = %d, and it printed %q, want 0 and %q", status, stderr, want)
	}
}
