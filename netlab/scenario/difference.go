package scenario

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// Difference is one field in which two outcomes of the same scenario differ.
type Difference struct {
	Field string `json:"field"` // such as "server ListenOverflows" or "fate reset"
	A     string `json:"a"`
	B     string `json:"b"`
}

// maxClientDifferences bounds the clients named one by one; the fates tell of all.
const maxClientDifferences = 5

// Differences lists the fields in which two outcomes of s differ, first fates, then
// counters, then the first few clients. Nil means that they are equal. With a horizon
// it is left open which client of a batch has which fate: the kernel fires the timers
// of one instant in an order of its own.
func Differences(s Scenario, a, b Outcome) []Difference {
	var all []Difference
	compare := func(field string, a, b any) {
		if a, b := fmt.Sprint(a), fmt.Sprint(b); a != b {
			all = append(all, Difference{field, a, b})
		}
	}
	for fate := range fateNames {
		compare("fate "+Fate(fate).String(), a.Fates[Fate(fate)], b.Fates[Fate(fate)])
	}
	for _, name := range OutcomeCounters() {
		compare("server "+name, a.Server[name], b.Server[name])
	}
	for _, name := range OutcomeCounters() {
		compare("client "+name, a.Client[name], b.Client[name])
	}
	compare("listener_drops", a.Drops, b.Drops)
	compare("number of clients", len(a.ByClient), len(b.ByClient))
	if s.Horizon > 0 {
		return all
	}
	shown := 0
	for i := range min(len(a.ByClient), len(b.ByClient)) {
		if a.ByClient[i] != b.ByClient[i] && shown < maxClientDifferences {
			compare(fmt.Sprintf("client %d", i), a.ByClient[i], b.ByClient[i])
			shown++
		}
	}
	return all
}

// DifferenceTable prints the differences below the names of the two sides.
func DifferenceTable(nameA, nameB string, differences []Difference) string {
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "field\t%s\t%s\n", nameA, nameB)
	for _, d := range differences {
		fmt.Fprintf(w, "%s\t%s\t%s\n", d.Field, d.A, d.B)
	}
	w.Flush()
	return table.String()
}
