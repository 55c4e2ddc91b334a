package wire

import (
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/predict"
	"github.com/rstlab/rstlab/netlab/scenario"
)

func TestMain(m *testing.M) { netlab.Main(m) }

func TestPlay(t *testing.T) {
	w := New(t)
	c, err := w.Calibrate()
	if err != nil {
		t.Fatal(err)
	}
	t.Log(c)
	for _, cookies := range []int{0, 1, 2} {
		for _, abort := range []bool{false, true} {
			for _, mode := range []scenario.Accept{{Mode: "never"}, {Mode: "now"}, {Mode: "every", Every: 3 * time.Millisecond}, {Mode: "from", From: 550 * time.Millisecond}} {
				for _, write := range []*time.Duration{nil, new(time.Duration(0)), new(time.Duration(30 * time.Millisecond))} {
					for _, closed := range []*time.Duration{nil, new(time.Duration(600 * time.Millisecond))} {
						s := scenario.Defaults()
						s.Arrivals = scenario.Arrivals{{Clients: 20}, {Clients: 50, At: 500 * time.Millisecond, Gap: time.Millisecond}, {Clients: 3, At: time.Second}}
						s.RTT, s.Backlog, s.SYNCookies, s.AbortOnOverflow = 100*time.Millisecond, 16, cookies, abort
						s.Accept, s.Write, s.CloseListener = mode, write, closed
						o, err := w.Play(s)
						if err != nil {
							t.Error(err)
						}
						want, err := predict.Run(s, c)
						if err != nil {
							t.Error(err)
						}
						if d := scenario.Differences(s, want, o); d != nil {
							t.Errorf("%v\n%s", s, scenario.DifferenceTable("predict", "virtual", d))
						}
					}
				}
			}
		}
	}
}

func TestPlug(t *testing.T) {
	p := NewPlug(t)
	for _, ipv6 := range []bool{false, true} {
		for _, cookies := range []int{0, 1, 2} {
			for _, abort := range []bool{false, true} {
				for _, second := range []int{1, 17, 18, 150, 800} {
					s := scenario.Defaults()
					s.Arrivals = scenario.Arrivals{{Clients: 10}, {Clients: second, At: 500 * time.Millisecond}}
					s.RTT, s.Backlog, s.SYNCookies, s.AbortOnOverflow, s.IPv6 = 100*time.Millisecond, 16, cookies, abort, ipv6
					s.Accept.Mode = scenario.AcceptNever
					o, err := p.Play(s)
					if err != nil {
						t.Error(err)
					}
					want, err := predict.Run(s, scenario.Modern)
					if err != nil {
						t.Error(err)
					}
					if d := scenario.Differences(s, want, o); d != nil {
						t.Errorf("%v\n%s", s, scenario.DifferenceTable("predict", "plug", d))
					}
				}
			}
		}
	}
}
