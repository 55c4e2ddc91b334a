package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// markdown is the report as tables: what must hold, and then each question.
func (r Report) markdown() string {
	var text strings.Builder
	fmt.Fprintf(&text, "Measured on %s on Linux %s with %d CPUs, %s, in %d rounds, with `%s`: medians, and from the least to the most.\n\n",
		r.Date, r.Kernel, r.CPUs, r.Go, r.Rounds, r.Command)
	text.WriteString("| what | must | found | holds |\n|---|---|---|---|\n")
	for _, a := range r.Answers {
		for _, c := range a.Checks {
			fmt.Fprintf(&text, "| %s | %s | %s | %s |\n", a.What, c.Must, c.Found, map[bool]string{true: "yes", false: "**no**"}[c.Holds])
		}
	}
	for _, a := range r.Answers {
		fmt.Fprintf(&text, "\n## %s\n\n%s", a.What, a.table())
	}
	return text.String()
}

// table has a line for each tool.
func (a Answer) table() string {
	var text strings.Builder
	fmt.Fprintf(&text, "| tool | %s | rstlab is | |\n|---|%s---|---|\n", strings.Join(a.Figures, " | "), strings.Repeat("---|", len(a.Figures)))
	for _, r := range a.Rows {
		cells := []string{r.Tool}
		for f := range a.Figures {
			cells = append(cells, r.cell(f))
		}
		cells = append(cells, a.ratio(r), r.note())
		fmt.Fprintf(&text, "| %s |\n", strings.Join(cells, " | "))
	}
	return text.String()
}

// cell is a figure's median and its range.
func (r Row) cell(f int) string {
	if r.Medians == nil {
		return ""
	}
	if len(r.Samples) == 1 {
		return digits(r.Medians[f])
	}
	return fmt.Sprintf("%s (%s to %s)", digits(r.Medians[f]), digits(r.Least[f]), digits(r.Most[f]))
}

// ratio is how many times the tool's first figure ours is.
func (a Answer) ratio(r Row) string {
	ours, ok := a.median(oursName, 0)
	if !ok || r.Medians == nil || r.Medians[0] == 0 || r.Tool == oursName {
		return ""
	}
	return digits(ours/r.Medians[0]) + " ×"
}

// note is what the samples say beside their values, once where they say the same.
func (r Row) note() string {
	var notes []string
	for _, s := range r.Samples {
		if s.Note != "" && (len(notes) == 0 || notes[len(notes)-1] != s.Note) {
			notes = append(notes, s.Note)
		}
	}
	return strings.Join(notes, "; ")
}

// digits writes a number with three digits, or all that stand before the point.
func digits(v float64) string {
	if v == 0 {
		return "0"
	}
	before := int(math.Floor(math.Log10(math.Abs(v)))) + 1
	text := strconv.FormatFloat(v, 'f', max(0, 3-before), 64)
	if before <= 3 {
		return text
	}
	var grouped strings.Builder
	for i, c := range text {
		if i > 0 && (len(text)-i)%3 == 0 && text[i-1] != '-' {
			grouped.WriteByte(',')
		}
		grouped.WriteRune(c)
	}
	return grouped.String()
}

// String is a heading, such as "width, ms".
func (f figure) String() string { return strings.TrimSuffix(f.name+", "+f.unit, ", ") }

// line is a sample for somebody who waits.
func (q question) line(s sample) string {
	var words []string
	for i, v := range s.Values {
		words = append(words, strings.TrimSpace(q.figures[i].name+" "+digits(v)+" "+q.figures[i].unit))
	}
	if s.Note != "" {
		words = append(words, s.Note)
	}
	return strings.Join(words, ", ")
}
