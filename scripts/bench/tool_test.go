package main

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestCommand(t *testing.T) {
	of := tool{name: "x", program: "/bin/x", args: map[string]string{
		kindPaced: "-c {clients} -g {gap} -r {rate} {url}", kindBurst: "-s {script} --server {host} -p{port}", kindFresh: "-d {seconds}s",
	}}
	l := load{Target: "http://198.18.0.2:8080/", Script: "/tmp/s", Clients: 7, Gap: 20 * time.Millisecond, For: 3 * time.Second}
	for kind, want := range map[string]string{
		kindPaced: "/bin/x -c 7 -g 20ms -r 50 http://198.18.0.2:8080/",
		kindBurst: "/bin/x -s /tmp/s --server 198.18.0.2 -p8080",
		kindTruth: "/bin/x -s /tmp/s --server 198.18.0.2 -p8080", // those of a burst
		kindFresh: "/bin/x -d 3s",
	} {
		l.Kind = kind
		if got := strings.Join(of.command(l), " "); got != want {
			t.Errorf("command for %s is %q, want %q", kind, got, want)
		}
	}
}

// Every peer has arguments for each kind of load, or a reason.
func TestPeersAnswerForEachKind(t *testing.T) {
	for _, of := range tools[3:] {
		for _, kind := range []string{kindHeld, kindFresh, kindBurst, kindPaced} {
			if (of.args[kind] == "") == (of.cannot[kind] == "") {
				t.Errorf("%s, %s: arguments %q and reason %q, want one of them", of.name, kind, of.args[kind], of.cannot[kind])
			}
		}
	}
}

func TestWhy(t *testing.T) {
	of := tool{cannot: map[string]string{kindFresh: "keeps"}, most: 255}
	got := []string{of.why(kindHeld, 255), of.why(kindHeld, 256), of.why(kindFresh, 1)}
	if want := []string{"", "no: at most 255 clients", "no: keeps"}; !slices.Equal(got, want) {
		t.Errorf("reasons are %q, want %q", got, want)
	}
}

func TestProcFiles(t *testing.T) {
	if got := socketsInUse("sockets: used 9\nTCP: inuse 100 orphan 1 tw 2 alloc 3 mem 4\nUDP: inuse 5 mem 6\n"); got != 100 {
		t.Errorf("sockets in use are %d, want 100", got)
	}
	status := "VmPeak:\t 9000 kB\nVmHWM:\t    5384 kB\nVmRSS:\t 1 kB\n"
	if got := kilobytes(status, "VmHWM:"); got != 5384<<10 {
		t.Errorf("peak is %d, want %d", got, 5384<<10)
	}
	if got := kilobytes("", "VmHWM:"); got != 0 {
		t.Errorf("peak of nothing is %d, want 0", got)
	}
}

func TestPlanIsReadAgain(t *testing.T) {
	want := storyPlan{Target: "http://a/", Clients: 3, Gap: time.Second}
	if got, err := planOf[storyPlan]([]string{planArgs(want)}); err != nil || got != want {
		t.Errorf("plan is %+v, %v, want %+v", got, err, want)
	}
	if _, err := planOf[storyPlan](nil); err == nil || err.Error() != "got 0 arguments, want the plan" {
		t.Errorf("no plan gives %v, want what is missing", err)
	}
}

func TestNotHeld(t *testing.T) {
	for want, s := range map[string]served{
		"": {Connections: 1000, Open: 990},
		"no: shares, 999 connections had an answer":          {Connections: 999, Open: 999},
		"no: closes early, 989 were open at the last answer": {Connections: 1000, Open: 989},
	} {
		if got := s.notHeld(1000); got != want {
			t.Errorf("%+v: %q, want %q", s, got, want)
		}
	}
}
