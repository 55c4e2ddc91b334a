package report

import (
	"fmt"
	"strings"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// share is the number of clients with one fate.
type share struct {
	Fate scenario.Fate
	N    int
}

// shares are the fates that occurred, served first, in the order of the constants.
func shares(f scenario.Fates) []share {
	var all []share
	for fate := range scenario.Failed + 1 {
		if f[fate] > 0 {
			all = append(all, share{fate, f[fate]})
		}
	}
	return all
}

// String is "reset 69", with a space for the underscore that stands in JSON.
func (s share) String() string {
	return fmt.Sprintf("%s %d", words(s.Fate), s.N)
}

// words is a fate's name for people.
func words(f scenario.Fate) string {
	if f == scenario.SYNDropped {
		return "SYN dropped"
	}
	return strings.ReplaceAll(f.String(), "_", " ")
}

// inWords lists the fates that occurred.
func inWords(f scenario.Fates) string {
	var parts []string
	for _, s := range shares(f) {
		parts = append(parts, s.String())
	}
	return strings.Join(parts, ", ")
}

// fateClass is the style of a fate. Styles are in style.gohtml.
func fateClass(f scenario.Fate) string { return "f-" + strings.ReplaceAll(f.String(), "_", "-") }

// segments divides a length among counts so that the parts add up to it exactly and
// that a part which is not zero can be seen. What small parts gain the largest loses.
func segments(counts []int, length, least float64) []float64 {
	total, largest := 0, 0
	for i, n := range counts {
		total += n
		if n > counts[largest] {
			largest = i
		}
	}
	parts := make([]float64, len(counts))
	if total == 0 {
		return parts
	}
	rest := length
	for i, n := range counts {
		if i == largest || n == 0 {
			continue
		}
		parts[i] = max(length*float64(n)/float64(total), least)
		rest -= parts[i]
	}
	parts[largest] = rest
	return parts
}
