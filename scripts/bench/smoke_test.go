package main

import (
	"slices"
	"testing"

	"github.com/rstlab/rstlab/netlab"
	"golang.org/x/sys/unix"
)

// small is a size that takes a moment. Times mean nothing in it, but everything that is
// counted does.
var small = size{held: 60, freshSwarm: 50, fresh: 1, burst: 40, paced: 5, truth: 40, million: 60, perServer: 20}

// ours are the tools that are always there.
func ours(t *testing.T) []tool {
	t.Helper()
	all := slices.Clone(tools[:3])
	for i, name := range []string{oursName, storyName, httpName} {
		if all[i].name != name {
			t.Fatalf("tool %d is %s, want %s", i, all[i].name, name)
		}
	}
	return all
}

// playSmall plays a question once.
func playSmall(t *testing.T, q question, of tool) sample {
	t.Helper()
	got, err := q.play(t.Context(), t, of, small)
	if err != nil {
		t.Fatalf("%s, %s: %v", q.name, of.name, err)
	}
	return got
}

func TestHeldSmall(t *testing.T) {
	for _, of := range ours(t) {
		if got := playSmall(t, held, of); got.Note != "" || got.Values[1] != 60 {
			t.Errorf("%s: %+v, want 60 connections open at the last answer", of.name, got)
		}
	}
}

// That a peak was found shows that all 60 had asked before any was answered.
func TestMemorySmall(t *testing.T) {
	for _, of := range ours(t) {
		if got := playSmall(t, memory, of); got.Note != "" || len(got.Values) != 2 || got.Values[1] <= 0 {
			t.Errorf("%s: %+v, want a slope and a peak", of.name, got)
		}
	}
}

// Where the time is over at once, there is one swarm in each of two lanes.
func TestFreshSmall(t *testing.T) {
	for _, of := range ours(t) {
		if of.name == storyName {
			continue
		}
		if got := playSmall(t, fresh, of); got.Note != "" || got.Values[1] != 100 {
			t.Errorf("%s: %+v, want 100 connections", of.name, got)
		}
	}
}

func TestBurstAndPaceSmall(t *testing.T) {
	for _, of := range ours(t) {
		for _, l := range []load{{Kind: kindBurst, Clients: small.burst}, {Kind: kindPaced, Clients: small.paced, Gap: pacedGap}} {
			times, p, err := recordSYNs(t.Context(), t, of, l)
			if err != nil || len(times) != l.Clients {
				t.Errorf("%s, %s: %d SYNs, %v, want %d", of.name, l.Kind, len(times), err, l.Clients)
			}
			said, err := of.told(p.output)
			if want := (told{OK: l.Clients}); err != nil || said != want {
				t.Errorf("%s, %s: it says %+v, %v, want %+v", of.name, l.Kind, said, err, want)
			}
		}
		if got := playSmall(t, burst, of); len(got.Values) != len(burst.figures) {
			t.Errorf("%s: burst is %+v, want all figures", of.name, got)
		}
		if got := playSmall(t, paced, of); len(got.Values) != len(paced.figures) {
			t.Errorf("%s: pace is %+v, want all figures", of.name, got)
		}
	}
}

// 24 places of the accept queue are taken, 16 of 40 fit, and 24 are reset.
func TestTruthSmall(t *testing.T) {
	netlab.New(t) // skips where there can be none
	if err := truth.possible(); err != nil {
		t.Skip(err)
	}
	for _, of := range ours(t) {
		got := playSmall(t, truth, of)
		if want := []float64{16, 24, 16, 24, 0}; !slices.Equal(got.Values, want) || got.Note != "ListenOverflows 24" {
			t.Errorf("%s: %+v, want %v", of.name, got, want)
		}
	}
}

// The limit of descriptors makes the swarm take several processes here too. It is the
// whole process's, so nothing runs beside this test.
func TestMillionSmall(t *testing.T) {
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	defer unix.Setrlimit(unix.RLIMIT_NOFILE, &before)
	few := before
	few.Cur = 64 + 64 // spare ones of the swarm, and those for it and all that is open
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	got := playSmall(t, million, ours(t)[0])
	if !slices.Equal(got.Values[:3], []float64{60, 60, 60}) || got.Values[6] < 2 {
		t.Errorf("%+v, want 60 served, answered and held at once, in two processes or more", got)
	}
}

func TestMillionRefuses(t *testing.T) {
	huge := small
	huge.million = 1 << 40
	_, err := million.play(t.Context(), t, tools[0], huge)
	if err == nil {
		t.Error("more clients than there is memory for are played, want an error")
	}
}
