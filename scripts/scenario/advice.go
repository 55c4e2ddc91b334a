package main

import (
	"fmt"
	"strings"

	"github.com/rstlab/rstlab/netlab/predict"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// inWords tells the advice in three lines, for somebody who does not read JSON.
func inWords(a predict.Advice) string {
	var text strings.Builder
	for _, part := range []struct {
		name      string
		threshold *predict.Threshold
		value     func(scenario.Scenario) any
	}{
		{"smallest backlog", a.Backlog, func(s scenario.Scenario) any { return s.Backlog }},
		{"smallest gap", a.Gap, func(s scenario.Scenario) any { return s.Arrivals[0].Gap }},
		{"largest burst", a.Burst, func(s scenario.Scenario) any { return s.Arrivals.Clients() }},
	} {
		switch t := part.threshold; {
		case t == nil:
			fmt.Fprintf(&text, "%s: this knob alone does not help\n", part.name)
		case t.Beyond == nil:
			fmt.Fprintf(&text, "%s: %v, as far as was looked, and nobody is lost\n", part.name, part.value(t.At.Scenario))
		default:
			fmt.Fprintf(&text, "%s: %v (with %v: %v)\n", part.name, part.value(t.At.Scenario), part.value(t.Beyond.Scenario), t.Beyond.Outcome.Fates)
		}
	}
	return text.String()
}
