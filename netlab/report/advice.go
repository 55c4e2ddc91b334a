package report

import (
	"fmt"

	"github.com/rstlab/rstlab/netlab/predict"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// advised is one line of advice: a knob, where it loses nobody, and one step further.
type advised struct{ Knob, Value, Beyond string }

// advice lists what would lose nobody. A knob that does not help says so.
func (p Page) advice() []advised {
	if p.Advice == nil {
		return nil
	}
	knob := func(name string, t *predict.Threshold, value func(s scenario.Scenario) string) advised {
		if t == nil {
			return advised{name, "does not help", ""}
		}
		a := advised{Knob: name, Value: value(t.At.Scenario)}
		if t.Beyond != nil {
			a.Beyond = fmt.Sprintf("with %s: %s", value(t.Beyond.Scenario), inWords(t.Beyond.Outcome.Fates))
		}
		return a
	}
	return []advised{
		knob("smallest backlog", p.Advice.Backlog, func(s scenario.Scenario) string { return fmt.Sprint(s.Backlog) }),
		knob("smallest gap between clients", p.Advice.Gap, func(s scenario.Scenario) string { return s.Arrivals[0].Gap.String() }),
		knob("largest burst", p.Advice.Burst, func(s scenario.Scenario) string { return fmt.Sprint(s.Arrivals.Clients()) }),
	}
}
