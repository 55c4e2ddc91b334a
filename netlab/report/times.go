package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// The measures of the picture of connect times: milliseconds on the left, whole
// seconds on the right, one row a fate.
const (
	quickBins   = 12
	quickLeft   = 132.0
	quickRight  = 474.0
	slowLeft    = 508.0
	slowRight   = 800.0
	slowColumns = 8
	timesRow    = 66.0
)

// fateTimes are the connect times of one fate.
type fateTimes struct {
	Fate  scenario.Fate
	Quick []time.Duration // those without a SYN retry and below a second, in order
	Slow  []ConnectTime   // the others, in order of their durations
}

func (f fateTimes) total() int { return len(f.Quick) + len(f.Slow) }

// byFate groups connect times, in the order of the fates.
func byFate(times []ConnectTime) []fateTimes {
	groups := map[scenario.Fate]*fateTimes{}
	for _, c := range times {
		g := groups[c.Fate]
		if g == nil {
			g = &fateTimes{Fate: c.Fate}
			groups[c.Fate] = g
		}
		if c.SYNRetries == 0 && c.Duration < time.Second {
			g.Quick = append(g.Quick, c.Duration)
		} else {
			g.Slow = append(g.Slow, c)
		}
	}
	var all []fateTimes
	for _, g := range groups {
		slices.Sort(g.Quick)
		slices.SortFunc(g.Slow, func(a, b ConnectTime) int {
			return cmp.Or(cmp.Compare(a.Duration, b.Duration), cmp.Compare(a.SYNRetries, b.SYNRetries))
		})
		all = append(all, *g)
	}
	slices.SortFunc(all, func(a, b fateTimes) int { return cmp.Compare(a.Fate, b.Fate) })
	return all
}

// whole is the column of a slow connect time: its whole seconds, and at least one,
// since a SYN is repeated after a second.
func whole(c ConnectTime) int { return max(1, int(c.Duration/time.Second)) }

// timesView is the section about connect times.
type timesView struct {
	Picture *picture
	Retried int // clients that repeated their SYN
	Total   int
}

func (p Page) times() *timesView {
	if len(p.ConnectTimes) == 0 {
		return nil
	}
	groups := byFate(p.ConnectTimes)
	v := &timesView{Total: len(p.ConnectTimes)}
	for _, c := range p.ConnectTimes {
		if c.SYNRetries > 0 {
			v.Retried++
		}
	}
	plot := newTimesPlot(groups)
	for i, g := range groups {
		plot.row(g, 34+float64(i)*timesRow)
	}
	plot.axes(34 + float64(len(groups))*timesRow)
	v.Picture = plot.picture
	return v
}

// timesPlot is the picture while it is drawn.
type timesPlot struct {
	picture *picture
	to      float64 // nanoseconds at the right end of the left panel
	seconds []int   // the columns of the right panel
	merged  bool    // the last column has all that is longer as well
	most    int     // the highest count of any bar
}

func newTimesPlot(groups []fateTimes) *timesPlot {
	t := &timesPlot{picture: &picture{Label: "connect times by fate: milliseconds on the left, whole seconds on the right"}, to: 1e6, most: 1}
	occur := map[int]bool{}
	longest := time.Duration(0)
	for _, g := range groups {
		if n := len(g.Quick); n > 0 {
			longest = max(longest, g.Quick[n-1])
		}
		for _, c := range g.Slow {
			occur[whole(c)] = true
		}
	}
	if longest > 0 {
		t.to = roundUp(float64(longest)/quickBins) * quickBins
	}
	t.chooseSeconds(occur)
	for _, g := range groups {
		t.most = max(t.most, slices.Max(t.quick(g)), slices.Max(append(t.slow(g), 0)))
	}
	return t
}

// chooseSeconds takes 1, 2, 3 and so on, as far as they fit; beyond that only those
// that occur, the last one with all that are longer.
func (t *timesPlot) chooseSeconds(occur map[int]bool) {
	longest := 0
	for s := range occur {
		longest = max(longest, s)
	}
	for s := 1; s <= longest; s++ {
		if longest <= slowColumns || occur[s] {
			t.seconds = append(t.seconds, s)
		}
	}
	if len(t.seconds) > slowColumns {
		t.seconds, t.merged = t.seconds[:slowColumns], true
	}
}

func (t *timesPlot) quick(g fateTimes) []int {
	counts := make([]int, quickBins)
	for _, d := range g.Quick {
		counts[min(max(int(float64(d)/t.to*quickBins), 0), quickBins-1)]++
	}
	return counts
}

func (t *timesPlot) slow(g fateTimes) []int {
	counts := make([]int, len(t.seconds))
	for _, c := range g.Slow {
		i, _ := slices.BinarySearch(t.seconds, whole(c))
		counts[min(i, len(counts)-1)]++
	}
	return counts
}

// row draws the two histograms of a fate, each bar with its count.
func (t *timesPlot) row(g fateTimes, y float64) {
	p, bottom := t.picture, y+timesRow-8
	p.rect(fateClass(g.Fate), 0, bottom-32, 10, 10)
	p.text("bold", 16, bottom-22, "%s", words(g.Fate))
	p.text("small quiet", 16, bottom-4, "%s", plural(g.total(), "client"))
	t.bars(g.Fate, t.quick(g), quickLeft, (quickRight-quickLeft)/quickBins, bottom)
	p.line("axis", quickLeft, bottom, quickRight, bottom)
	if len(t.seconds) > 0 {
		t.bars(g.Fate, t.slow(g), slowLeft, slowColumn, bottom)
		p.line("axis", slowLeft, bottom, slowRight, bottom)
	}
}

const slowColumn = (slowRight - slowLeft) / slowColumns

func (t *timesPlot) bars(f scenario.Fate, counts []int, x, w, bottom float64) {
	const room = timesRow - 28
	for i, n := range counts {
		if n == 0 {
			continue
		}
		h := max(room*float64(n)/float64(t.most), 2)
		left := x + float64(i)*w
		t.picture.rect(fateClass(f), left+4, bottom-h, w-8, h)
		t.picture.text("mid small", left+w/2, bottom-h-4, "%d", n)
	}
}

// axes names the panels and writes their scales below the last row.
func (t *timesPlot) axes(y float64) {
	p := t.picture
	p.text("bold", quickLeft, 14, "below a second")
	for i := 0; i <= quickBins; i += 3 {
		x := quickLeft + float64(i)*(quickRight-quickLeft)/quickBins
		p.line("axis", x, y-8, x, y-3)
		p.text("mid small quiet", x, y+12, "%s", tickSpan(t.to*float64(i)/quickBins, t.to))
	}
	p.Height = num(y + 18)
	if len(t.seconds) == 0 {
		return
	}
	p.text("bold", slowLeft, 14, "a second or longer: SYN repeated")
	for i, s := range t.seconds {
		text := fmt.Sprintf("%d s", s)
		if t.merged && i == len(t.seconds)-1 {
			text = "≥ " + text
		}
		p.text("mid small quiet", slowLeft+(float64(i)+0.5)*slowColumn, y+12, "%s", text)
	}
}
