package main

import (
	_ "embed"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// pageHead is how the page begins, with the measurement in place of the marks.
//
//go:embed page.md
var pageHead string

// markdown is the report as a page: what must hold, and then each question.
func (r Report) markdown() string {
	var text strings.Builder
	text.WriteString(strings.NewReplacer(
		"{command}", r.Command, "{date}", r.Date, "{kernel}", r.Kernel, "{go}", r.Go, "{cpus}", strconv.Itoa(r.CPUs),
		"{rounds}", strconv.Itoa(r.Rounds), "{versions}", r.peers(),
	).Replace(pageHead))
	if r.Rounds < enoughRounds {
		fmt.Fprintf(&text, "\n**Fewer than %d rounds: what holds here may not hold in the next run.**\n", enoughRounds)
	}
	text.WriteString("\n| what | must | rstlab | story | wrk | best of the other peers | holds |\n|---|---|---|---|---|---|---|\n")
	for _, a := range r.Answers {
		for _, c := range a.Checks {
			fmt.Fprintf(&text, "| %s |\n", strings.Join(a.checked(c), " | "))
		}
	}
	for _, a := range r.Answers {
		fmt.Fprintf(&text, "\n## %s\n\n%s", strings.ToUpper(a.What[:1])+a.What[1:], a.table())
	}
	return text.String()
}

// enoughRounds make a median that a verdict can rest on.
const enoughRounds = 5

// peers names the versions, and what was skipped.
func (r Report) peers() string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(r.Versions)) {
		names = append(names, name+" "+r.Versions[name])
	}
	text := strings.Join(names, ", ")
	if r.Skipped != nil {
		text += "; skipped: " + strings.Join(r.Skipped, "; ")
	}
	return text
}

// checked are the cells of a line of the first table.
func (a Answer) checked(c Check) []string {
	f := c.Figure
	cells := []string{a.What + ": " + a.Figures[f].String(), c.Must}
	for _, name := range []string{oursName, storyName, wrkName} {
		cell := ""
		if r, ok := a.row(name); ok {
			cell = digits(r.Medians[f])
		}
		cells = append(cells, cell)
	}
	best := ""
	if r, ok := a.bestPeer(f); ok {
		best = digits(r.Medians[f]) + " (" + r.Tool + ")"
	}
	return append(cells, best, map[bool]string{true: "yes", false: "**no**"}[c.Holds])
}

// table has a line for each tool.
func (a Answer) table() string {
	var text strings.Builder
	head, rule := []string{"tool"}, "|---"
	for _, f := range a.Figures {
		head, rule = append(head, f.String()), rule+"|---"
	}
	fmt.Fprintf(&text, "| %s | ÷ rstlab | ÷ story | ÷ wrk | |\n%s|---|---|---|---|\n", strings.Join(head, " | "), rule)
	for _, r := range a.Rows {
		cells := []string{r.Tool}
		for f := range a.Figures {
			cells = append(cells, r.cell(f))
		}
		for _, name := range []string{oursName, storyName, wrkName} {
			cells = append(cells, a.ratio(r, name))
		}
		fmt.Fprintf(&text, "| %s |\n", strings.Join(append(cells, r.note()), " | "))
	}
	return text.String()
}

// cell is a figure's median and its range.
func (r Row) cell(f int) string {
	switch {
	case r.Medians == nil:
		return ""
	case r.Least[f] == r.Most[f]:
		return digits(r.Medians[f])
	}
	return fmt.Sprintf("%s (%s to %s)", digits(r.Medians[f]), digits(r.Least[f]), digits(r.Most[f]))
}

// ratio is the tool's first figure divided by another's.
func (a Answer) ratio(r Row, name string) string {
	other, ok := a.row(name)
	if !ok || r.Medians == nil || other.Medians[0] == 0 || r.Tool == name || a.Figures[0].Unit == "" {
		return ""
	}
	return digits(r.Medians[0] / other.Medians[0])
}

// note is what the samples say beside their values, each thing once.
func (r Row) note() string {
	var notes []string
	for _, s := range r.Samples {
		if s.Note != "" && !slices.Contains(notes, s.Note) {
			notes = append(notes, s.Note)
		}
	}
	return strings.Join(notes, "; ")
}

// digits writes a number with three digits, or all that stand before the point. A whole
// number has none behind it.
func digits(v float64) string {
	if v == math.Trunc(v) {
		return grouped(strconv.FormatFloat(v, 'f', 0, 64))
	}
	before := int(math.Floor(math.Log10(math.Abs(v)))) + 1
	return grouped(strconv.FormatFloat(v, 'f', max(0, 3-before), 64))
}

// grouped puts commas between the thousands of a number without a point.
func grouped(number string) string {
	sign := ""
	if strings.HasPrefix(number, "-") {
		sign, number = "-", number[1:]
	}
	if strings.Contains(number, ".") {
		return sign + number
	}
	for i := len(number) - 3; i > 0; i -= 3 {
		number = number[:i] + "," + number[i:]
	}
	return sign + number
}

// String is a heading, such as "width, ms".
func (f figure) String() string { return strings.TrimSuffix(f.Name+", "+f.Unit, ", ") }

// line is a sample for somebody who waits.
func (q question) line(s sample) string {
	var words []string
	for i, v := range s.Values {
		words = append(words, strings.TrimSpace(q.figures[i].Name+" "+digits(v)+" "+q.figures[i].Unit))
	}
	if s.Note != "" {
		words = append(words, s.Note)
	}
	return strings.Join(words, ", ")
}
