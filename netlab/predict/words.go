package predict

import (
	"fmt"
	"strings"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// String tells the advice in three lines, for somebody who does not read JSON.
func (a Advice) String() string {
	var text strings.Builder
	for _, part := range []struct {
		name      string
		threshold *Threshold
		value     func(scenario.Scenario) any
	}{
		{"smallest backlog", a.Backlog, backlogInWords},
		{"smallest gap", a.Gap, func(s scenario.Scenario) any { return s.Arrivals[0].Gap }},
		{"largest burst", a.Burst, func(s scenario.Scenario) any { return s.Arrivals.Clients() }},
	} {
		switch t := part.threshold; {
		case t == nil:
			fmt.Fprintf(&text, "%s: this knob alone does not help\n", part.name)
		case t.Beyond == nil:
			fmt.Fprintf(&text, "%s: with %v, the end of what was tried, nobody is lost\n", part.name, part.value(t.At.Scenario))
		default:
			fmt.Fprintf(&text, "%s: %v (with %v: %s)\n", part.name, part.value(t.At.Scenario), part.value(t.Beyond.Scenario), lossInWords(t.Beyond.Outcome))
		}
	}
	return text.String()
}

// lossInWords is an outcome's fates, and the drops by which everybody was served late.
func lossInWords(o scenario.Outcome) string {
	if served := o.Fates[scenario.Served] + o.Fates[scenario.Queued]; served == o.Fates.Total() {
		return fmt.Sprintf("%v, after %d drops", o.Fates, o.Server["ListenDrops"])
	}
	return o.Fates.String()
}

// backlogInWords says too what somaxconn has to be for it, where that is not more already.
func backlogInWords(s scenario.Scenario) any {
	if s.Somaxconn > s.Backlog {
		return s.Backlog
	}
	return fmt.Sprintf("%d and somaxconn %d", s.Backlog, s.Somaxconn)
}
