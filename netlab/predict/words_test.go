package predict

import (
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

func TestAdviceInWords(t *testing.T) {
	t.Parallel()
	at := func(backlog int, wave scenario.Wave, lost scenario.Fates) Case {
		return Case{
			Scenario: scenario.Scenario{Backlog: backlog, Somaxconn: 300, Arrivals: scenario.Arrivals{wave}}, Outcome: scenario.Outcome{Fates: lost},
		}
	}
	burst := func(n int) scenario.Wave { return scenario.Wave{Clients: n} }
	paced := func(gap time.Duration) scenario.Wave { return scenario.Wave{Clients: 1, Gap: gap} }
	lost := scenario.Fates{scenario.Served: 330, scenario.Reset: 1}
	for _, test := range []struct {
		name   string
		advice Advice
		want   string
	}{
		{"nothing helps", Advice{}, "smallest backlog: this knob alone does not help\n" +
			"smallest gap: this knob alone does not help\nlargest burst: this knob alone does not help\n"},
		{"everything helps", Advice{
			Backlog: &Threshold{At: at(330, burst(1), nil), Beyond: new(at(329, burst(1), lost))},
			Gap:     &Threshold{At: at(1, paced(2*time.Millisecond), nil), Beyond: new(at(1, paced(1999*time.Microsecond), lost))},
			Burst:   &Threshold{At: at(1, burst(65), nil), Beyond: new(at(1, burst(66), lost))},
		}, "smallest backlog: 330 and somaxconn 300 (with 329 and somaxconn 300: served 330, reset 1)\n" +
			"smallest gap: 2ms (with 1.999ms: served 330, reset 1)\nlargest burst: 65 (with 66: served 330, reset 1)\n"},
		{"no limit in sight", Advice{
			Backlog: &Threshold{At: at(0, burst(1), nil)}, Gap: &Threshold{At: at(0, paced(0), nil)},
			Burst: &Threshold{At: at(0, burst(1<<20), nil)},
		}, "smallest backlog: with 0, the end of what was tried, nobody is lost\n" +
			"smallest gap: with 0s, the end of what was tried, nobody is lost\nlargest burst: with 1048576, the end of what was tried, nobody is lost\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := test.advice.String(); got != test.want {
				t.Errorf("String() =\n%swant\n%s", got, test.want)
			}
		})
	}
}
