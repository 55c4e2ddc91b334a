package report

import (
	"fmt"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// The measures of the heat map. More columns than fit side by side go on below.
const (
	heatLeft    = 76.0
	heatColumns = 6  // side by side, if their text has room
	heatMost    = 12 // columns, and rows, that are drawn
	heatLine    = 17.0
	heatSwatch  = 12.0 // with the space behind it
	heatPad     = 8.0  // from a cell's edge to its text
)

// heatView is the section about two knobs.
type heatView struct {
	Heat     *Heat
	Pictures []*picture
	Left     string // says what was left out; may be empty
	Measured bool
	Differ   bool
}

func (p Page) heatMap() *heatView {
	h := p.Heat
	if h == nil || len(h.Columns.Values) == 0 || len(h.Rows.Values) == 0 {
		return nil
	}
	v := &heatView{Heat: h}
	columns, rows := min(len(h.Columns.Values), heatMost), min(len(h.Rows.Values), heatMost)
	if left := len(h.Columns.Values)*len(h.Rows.Values) - columns*rows; left > 0 {
		v.Left = plural(left, "more pair")
	}
	lines, text := 1, 1.0
	for row := range rows {
		for column := range columns {
			c := h.at(column, row)
			lines = max(lines, len(cellLines(c)))
			for _, l := range cellLines(c) {
				text = max(text, textWidth(l.text, smallSize))
			}
			v.Measured = v.Measured || c.Measured != nil
			v.Differ = v.Differ || c.Measured != nil && c.Predicted != nil && !c.agrees()
		}
	}
	beside := min(max(int((width-heatLeft)/(text+heatSwatch+2*heatPad)), 1), heatColumns)
	bands := (columns + beside - 1) / beside
	beside = (columns + bands - 1) / bands
	for from := 0; from < columns; from += beside {
		v.Pictures = append(v.Pictures, h.band(from, min(from+beside, columns), rows, lines, (width-heatLeft)/float64(beside)))
	}
	return v
}

// band draws the columns from..to-1 with all rows; cells are wide units wide.
func (h *Heat) band(from, to, rows, lines int, wide float64) *picture {
	height := 32 + float64(lines)*heatLine
	p := &picture{Label: fmt.Sprintf("fates for each %s and %s", h.Columns.Name, h.Rows.Name)}
	p.text("bold", heatLeft, 14, "%s →", fit(h.Columns.Name, 400, fontSize))
	p.text("bold", 0, 36, "%s ↓", fit(h.Rows.Name, heatLeft-24, fontSize))
	for column := from; column < to; column++ {
		p.text("mid", heatLeft+(float64(column-from)+0.5)*wide, 36, "%s", fit(h.Columns.Values[column], wide-8, fontSize))
	}
	for row := range rows {
		y := 44 + float64(row)*height
		p.text("end", heatLeft-10, y+height/2+4, "%s", fit(h.Rows.Values[row], heatLeft-14, fontSize))
		for column := from; column < to; column++ {
			p.cell(h.at(column, row), heatLeft+float64(column-from)*wide, y, wide, height)
		}
	}
	p.Height = num(46 + float64(rows)*height)
	return p
}

// cell draws a small bar of the fates, and below it their counts in the same order.
func (p *picture) cell(c Cell, x, y, wide, height float64) {
	class := "cell"
	if c.Measured != nil {
		class = "cell measured"
	}
	p.rect(class, x+3, y+3, wide-6, height-6)
	all := shares(c.fates())
	counts := make([]int, len(all))
	for i, s := range all {
		counts[i] = s.N
	}
	left := x + heatPad
	for i, w := range segments(counts, wide-2*heatPad, 3) {
		p.rect(fateClass(all[i].Fate), left, y+11, w, 10)
		left += w
	}
	for i, l := range cellLines(c) {
		top := y + 21 + float64(i+1)*heatLine
		if l.fate == scenario.Undecided {
			p.text("small", x+heatPad, top-3, "%s", l.text)
			continue
		}
		p.rect(fateClass(l.fate), x+heatPad, top-11, 8, 8)
		p.text("small", x+heatPad+heatSwatch, top-3, "%s", l.text)
	}
}

// cellLine is a line of text in a cell. One without a fate has no swatch.
type cellLine struct {
	fate scenario.Fate
	text string
}

// cellLines are what a cell says: its counts, and how the measurement compares.
func cellLines(c Cell) []cellLine {
	var lines []cellLine
	for _, s := range shares(c.fates()) {
		lines = append(lines, cellLine{s.Fate, s.String()})
	}
	switch {
	case c.Measured == nil || c.Predicted == nil:
	case c.agrees():
		lines = append(lines, cellLine{text: "measured: same"})
	default:
		lines = append(lines, cellLine{text: "but measured:"})
		for _, s := range shares(c.Measured) {
			lines = append(lines, cellLine{s.Fate, s.String()})
		}
	}
	return lines
}
