package main

import (
	"os"
	"testing"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// The outputs were captured from bursts of 100 of which 84 or 85 connections were reset;
// ab made its connections later, and wrk goes on to ask.
func TestToldByPeers(t *testing.T) {
	wants := map[string]told{
		"wrk": {132749, 85}, "h2load": {16, 84}, "autocannon": {16, 84}, "hey": {16, 84}, "ab": {100, 0}, "httperf": {16, 84}, "siege": {16, 84},
	}
	for _, of := range tools[3:] {
		output, err := os.ReadFile("testdata/" + of.name + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		got, err := of.told(string(output))
		if want, ok := wants[of.name]; err != nil || !ok || got != want {
			t.Errorf("%s says %+v, %v, want %+v", of.name, got, err, want)
		}
		if got, err := of.told("out of memory"); err == nil {
			t.Errorf("%s says %+v when its output has no counts, want an error", of.name, got)
		}
		delete(wants, of.name)
	}
	if len(wants) > 0 {
		t.Errorf("no tool has the names of %v", wants)
	}
}

func TestToldVariants(t *testing.T) {
	for _, test := range []struct {
		name   string
		told   func(string) (told, error)
		output string
		want   told
	}{
		{"wrk without errors", wrkTold, "  100 requests in 2.00s, 6.20KB read", told{100, 0}},
		{"wrk with all kinds", wrkTold, "  7 requests in 2.00s\n  Socket errors: connect 1, read 2, write 3, timeout 4\n", told{7, 10}},
		{"hey with two kinds", heyTold, "  [200]\t5 responses\n  [503]\t9 responses\n  [2]\tGet \"http://a/\": EOF\n  [3]\tGet \"http://a/\": reset\n", told{5, 5}},
		{"ab with failures", abTold, "Complete requests:      100\nFailed requests:        30\n", told{70, 30}},
		{"ours", swarmTold, `{"Fates":{"served":3,"reset":2,"ghost_or_kept":1},"Processes":1}`, told{3, 2}},
		{"story", storyTold, `{"OK":3,"Failed":2}`, told{3, 2}},
	} {
		if got, err := test.told(test.output); err != nil || got != test.want {
			t.Errorf("%s: %+v, %v, want %+v", test.name, got, err, test.want)
		}
	}
}

func TestSwarmReportsAddUp(t *testing.T) {
	total := swarmReport{Fates: scenario.Fates{}}
	total.add(swarmReport{scenario.Fates{scenario.Served: 3, scenario.Reset: 1}, 1})
	total.add(swarmReport{scenario.Fates{scenario.Served: 4}, 2})
	if total.Fates[scenario.Served] != 7 || total.Fates[scenario.Reset] != 1 || total.Processes != 2 {
		t.Errorf("reports add up to %+v, want 7 served and 1 reset, in 2 processes", total)
	}
}
