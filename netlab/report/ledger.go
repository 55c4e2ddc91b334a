package report

import (
	"fmt"
	"strconv"
)

// mostRuns is how many runs the picture of the ledger has. Runs that failed are never
// left out for others that passed.
const mostRuns = 60

// ledgerView is the section about the fates.
type ledgerView struct {
	Picture *picture
	Left    string // says what was left out; may be empty
	Failed  []Run
}

func (p Page) ledger() *ledgerView {
	if len(p.Runs) == 0 {
		return nil
	}
	v := &ledgerView{Picture: &picture{Label: "fates of all clients, one bar a run"}}
	for _, r := range p.Runs {
		if r.Failed && len(v.Failed) < mostRuns {
			v.Failed = append(v.Failed, r)
		}
	}
	shown := chosenRuns(p.Runs)
	if left := len(p.Runs) - len(shown); left > 0 {
		v.Left = plural(left, "more run")
	}
	y := 0.0
	for _, r := range shown {
		y = v.Picture.bar(r, y)
	}
	v.Picture.Height = num(y)
	return v
}

// chosenRuns are at most mostRuns of them, in their order.
func chosenRuns(runs []Run) []Run {
	passed := mostRuns
	for _, r := range runs {
		if r.Failed {
			passed--
		}
	}
	var chosen []Run
	for _, r := range runs {
		if len(chosen) == mostRuns {
			break
		}
		if !r.Failed {
			if passed--; passed < 0 {
				continue
			}
		}
		chosen = append(chosen, r)
	}
	return chosen
}

// bar draws one run below y: its name, its bar, and a label for each segment. It
// returns where the next one may begin.
func (p *picture) bar(r Run, y float64) float64 {
	const height, edge = 20.0, 1.0
	name, verdict := "bold", ""
	if r.Failed {
		name, verdict = "bold bad", "failed: "
	}
	total := plural(r.total(), "client")
	p.text(name, 0, y+18, "%s", fit(verdict+r.Name, width-textWidth(total, fontSize)-20, fontSize*1.05))
	p.text("end", width, y+18, "%s", total)

	counts, labels, classes := barParts(r)
	y += 26
	if len(counts) == 0 {
		return y + 4
	}
	x := edge
	places := make([]float64, len(counts))
	for i, w := range segments(counts, width-2*edge, 3) {
		p.rect(classes[i], x, y, w, height)
		places[i] = x + min(w/2, 8)
		x += w
	}
	return p.barLabels(labels, classes, places, y+height) + 14
}

// barParts are the segments of a run's bar. Clients without a fate are one as well.
func barParts(r Run) (counts []int, labels, classes []string) {
	for _, s := range shares(r.Fates) {
		counts, labels, classes = append(counts, s.N), append(labels, s.String()), append(classes, fateClass(s.Fate))
	}
	if missing := r.total() - r.Fates.Total(); missing > 0 {
		counts = append(counts, missing)
		labels, classes = append(labels, "no fate "+strconv.Itoa(missing)), append(classes, "f-none")
	}
	return counts, labels, classes
}

// barLabels writes a label below each segment, joined to it by a line from its place at
// the segment to the label's swatch. Labels move aside for each other; where they all together have no room, they take several lines
// and keep the order of the segments instead.
func (p *picture) barLabels(labels, classes []string, places []float64, y float64) float64 {
	const swatch, gap, line, drop = 15.0, 14.0, 20.0, 32.0
	widths, sum := make([]float64, len(labels)), 0.0
	for i, l := range labels {
		widths[i] = swatch + textWidth(l, fontSize) + gap
		sum += widths[i]
	}
	write := func(i int, x, y float64) {
		p.rect(classes[i], x, y-10, 10, 10)
		p.text("", x+swatch, y, "%s", labels[i])
	}
	if sum <= width {
		for i, x := range aside(places, widths, width) {
			write(i, x, y+drop)
			p.path("leader", fmt.Sprintf("M%v %vv2L%v %vV%v", num(places[i]), num(y), num(x+5), num(y+drop-16), num(y+drop-11)))
		}
		return y + drop
	}
	x := 0.0
	y += line
	for i, w := range widths {
		if x+w > width {
			x, y = 0, y+line
		}
		write(i, x, y)
		x += w
	}
	return y
}

// aside places boxes of these widths on a line from 0 to room, the swatch of each as near
// to its place as the others let it. Together they must be no wider than room.
func aside(places, widths []float64, room float64) []float64 {
	xs := make([]float64, len(widths))
	end := 0.0
	for i, w := range widths {
		xs[i] = max(places[i]-5, end)
		end = xs[i] + w
	}
	for i := len(xs) - 1; i >= 0; i-- {
		xs[i] = min(xs[i], room-widths[i])
		room = xs[i]
	}
	return xs
}
