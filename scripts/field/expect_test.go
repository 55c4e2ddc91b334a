package main

import (
	"maps"
	"slices"
	"testing"

	"github.com/rstlab/rstlab/netlab/scenario"
)

func TestLargestBurst(t *testing.T) {
	for limit, want := range map[int]int{0: 1, 5: 6, 511: 512, 4096: 4097} {
		if got, err := largestBurst(limit, scenario.Modern); got != want || err != nil {
			t.Errorf("largestBurst(%d) = %d, %v, want %d", limit, got, err, want)
		}
	}
}

func TestPredicted(t *testing.T) {
	for _, test := range []struct {
		name           string
		scenario       scenario.Scenario
		defers         bool
		fates          string
		server         scenario.Counters
		listenersDrops uint64
	}{
		{"one more", burst(5, false, 7), false, "queued 6, syn_dropped 1",
			scenario.Counters{"PassiveOpens": 6, "ListenOverflows": 1, "ListenDrops": 1}, 1},
		{"one more, abort on", burst(5, true, 7), false, "queued 6, syn_dropped 1",
			scenario.Counters{"PassiveOpens": 6, "ListenOverflows": 1, "ListenDrops": 1}, 1},
		{"one more, deferred", burst(5, false, 7), true, "queued 6, syn_dropped 1",
			scenario.Counters{"PassiveOpens": 6, "ListenOverflows": 1, "ListenDrops": 1, "TCPDeferAcceptDrop": 6}, 7},
		{"under way", crossing(5, false), false, "queued 6, kept 2",
			scenario.Counters{"PassiveOpens": 6, "ListenOverflows": 2, "ListenDrops": 2}, 4},
		{"under way, abort on", crossing(5, true), false, "queued 6, reset 2",
			scenario.Counters{"PassiveOpens": 6, "ListenOverflows": 2, "ListenDrops": 2, "EmbryonicRsts": 2, "OutRsts": 2}, 4},
		{"under way, abort on, deferred", crossing(511, true), true, "queued 512, reset 16",
			scenario.Counters{"PassiveOpens": 512, "ListenOverflows": 16, "ListenDrops": 16, "EmbryonicRsts": 16, "OutRsts": 16, "TCPDeferAcceptDrop": 528}, 560},
		{"under way, the smallest queue with room", crossing(1, true), false, "queued 2, reset 1",
			scenario.Counters{"PassiveOpens": 2, "ListenOverflows": 1, "ListenDrops": 1, "EmbryonicRsts": 1, "OutRsts": 1}, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			o, err := predicted(test.scenario, scenario.Modern, test.defers)
			if err != nil {
				t.Fatal(err)
			}
			if o.Fates.String() != test.fates || !maps.Equal(o.Server, test.server) || o.Drops != test.listenersDrops {
				t.Errorf("predicted %v; %v; the listener drops %d\n     want %s; %v; %d", o.Fates, o.Server, o.Drops, test.fates, test.server, test.listenersDrops)
			}
		})
	}
}

// What is under way fits into the SYN queue of older kernels too, so a row is the same there.
func TestCrossingOnOlderKernels(t *testing.T) {
	older := scenario.Calibration{}
	for _, limit := range []int{2, 5, 100, 511} {
		s := crossing(limit, true)
		now, err := predicted(s, scenario.Modern, false)
		if err != nil {
			t.Fatal(err)
		}
		then, err := predicted(s, older, false)
		if d := scenario.Differences(s, now, then); err != nil || d != nil {
			t.Errorf("limit %d: %v, %v", limit, d, err)
		}
	}
}

// Each queue is a server of its own, and only a full one drops a SYN.
func TestPredictShared(t *testing.T) {
	for _, test := range []struct {
		queues  []uint32
		fates   string
		dropped uint64
	}{
		{[]uint32{6, 2}, "queued 8, syn_dropped 1", 1},
		{[]uint32{0, 6}, "queued 6, syn_dropped 1", 1},
		{[]uint32{6, 6}, "queued 12, syn_dropped 1", 1},
		{[]uint32{5, 5}, "queued 10", 0}, // a SYN was dropped, says who found the burst, and no queue was full
		{[]uint32{0, 0}, "no clients", 0},
		{[]uint32{8, 1}, "queued 7, syn_dropped 2", 2}, // a queue that holds more than it can
	} {
		s, o, err := predictShared(test.queues, 5, true, scenario.Modern, false)
		if err != nil || o.Fates.String() != test.fates || o.Drops != test.dropped {
			t.Errorf("predictShared(%v) = %v, %d dropped, %v, want %s, %d", test.queues, o.Fates, o.Drops, err, test.fates, test.dropped)
		}
		if s.Arrivals.Clients() != max(1, o.Fates.Total()) {
			t.Errorf("the scenario of %v has %d clients", test.queues, s.Arrivals.Clients())
		}
	}
}

func TestCompare(t *testing.T) {
	s := burst(5, false, 7)
	want, err := predicted(s, scenario.Modern, false)
	if err != nil {
		t.Fatal(err)
	}
	if d := compare("stalled", s, want, want); d != nil {
		t.Errorf("an outcome differs from itself: %v", d)
	}
	got, err := predicted(burst(6, false, 7), scenario.Modern, false)
	if err != nil {
		t.Fatal(err)
	}
	d := compare("stalled", s, want, got)
	if line := "stalled: fate queued: predicted 6, measured 7"; !slices.Contains(d, line) {
		t.Errorf("compare() = %q, want %q among them", d, line)
	}
}

func TestCompareAnswered(t *testing.T) {
	fates := scenario.Fates{scenario.Queued: 6, scenario.Kept: 2, scenario.Reset: 3}
	if d := compareAnswered("later", fates, 8); d != nil {
		t.Errorf("all but the reset ones are answered, and %v", d)
	}
	want := []string{"later: answered after the stall: predicted 8, measured 7"}
	if d := compareAnswered("later", fates, 7); !slices.Equal(d, want) {
		t.Errorf("compareAnswered() = %q, want %q", d, want)
	}
}
