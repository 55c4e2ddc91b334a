package report

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// box is the room that a text takes.
type box struct {
	text           string
	x1, y1, x2, y2 float64
}

// boxes are the texts of a picture, as large as they are estimated.
func boxes(p *picture) []box {
	var all []box
	for _, s := range p.Shapes {
		if s.Kind != "text" {
			continue
		}
		size := fontSize
		classes := strings.Fields(s.Class)
		if slices.Contains(classes, "small") {
			size = smallSize
		}
		w, x := textWidth(s.Text, size), float64(s.X)
		switch {
		case slices.Contains(classes, "mid"):
			x -= w / 2
		case slices.Contains(classes, "end"):
			x -= w
		}
		all = append(all, box{s.Text, x, float64(s.Y) - 0.75*size, x + w, float64(s.Y) + 0.2*size})
	}
	return all
}

// checkTexts proves that no text of a picture covers another or leaves the picture.
func checkTexts(t *testing.T, name string, p *picture) {
	t.Helper()
	all := boxes(p)
	for i, a := range all {
		if a.x1 < -1 || a.x2 > width+1 || a.y1 < -1 || a.y2 > float64(p.Height)+1 {
			t.Errorf("%s: %q leaves the picture of height %v: %v", name, a.text, p.Height, a)
		}
		for _, b := range all[:i] {
			if a.x1 < b.x2 && b.x1 < a.x2 && a.y1 < b.y2 && b.y1 < a.y2 {
				t.Errorf("%s: %q and %q cover each other: %v %v", name, a.text, b.text, a, b)
			}
		}
	}
}

func pictures(p Page) map[string]*picture {
	all := map[string]*picture{}
	if v := p.ledger(); v != nil {
		all["ledger"] = v.Picture
	}
	for i, c := range p.causeViews() {
		if c.Ladder != nil {
			all[fmt.Sprintf("ladder %d", i)] = c.Ladder.Picture
		}
	}
	queues, _ := p.queueViews()
	for i, q := range queues {
		if q.Whole != nil {
			all[fmt.Sprintf("queue %d", i)] = q.Whole
		}
		if q.Near != nil {
			all[fmt.Sprintf("queue %d, near", i)] = q.Near
		}
	}
	if v := p.times(); v != nil {
		all["times"] = v.Picture
	}
	if v := p.heatMap(); v != nil {
		for i, band := range v.Pictures {
			all[fmt.Sprintf("heat %d", i)] = band
		}
	}
	return all
}

func TestTextsDoNotCoverEachOther(t *testing.T) {
	t.Parallel()
	for _, clients := range []int{5, 80, 400, 2000} {
		p := sample(t, story(clients))
		for i := range 40 {
			p.Runs = append(p.Runs, randomRun(i))
		}
		for name, picture := range pictures(p) {
			checkTexts(t, fmt.Sprintf("%d clients, %s", clients, name), picture)
		}
	}
}

// randomRun has up to all fates, with few and with many clients.
func randomRun(seed int) Run {
	r := rand.New(rand.NewPCG(1, uint64(seed)))
	fates := scenario.Fates{}
	for f := range scenario.Failed + 1 {
		if r.IntN(3) > 0 {
			fates[f] = int(math.Pow(10, 6*r.Float64()))
		}
	}
	return Run{Name: strings.Repeat("name ", r.IntN(40)), Fates: fates, Clients: r.IntN(2_000_000), Failed: r.IntN(2) > 0}
}

// The segments of each bar add up to the whole bar, and each fate has one of its own.
func TestBarsAddUp(t *testing.T) {
	t.Parallel()
	for i := range 200 {
		run := randomRun(i)
		counts, labels, _ := barParts(run)
		total := 0
		for _, n := range counts {
			total += n
		}
		if total != max(run.Clients, run.Fates.Total()) {
			t.Errorf("run %d: the parts add up to %d, want %d", i, total, max(run.Clients, run.Fates.Total()))
		}
		sum := 0.0
		parts := segments(counts, 800, 3)
		for j, w := range parts {
			sum += w
			if w < 3 {
				t.Errorf("run %d: segment %s is %v wide, want at least 3", i, labels[j], w)
			}
		}
		if math.Abs(sum-800) > 1e-6 {
			t.Errorf("run %d: the segments are %v wide together, want 800", i, sum)
		}
	}
	if got := segments([]int{0, 0}, 800, 3); got[0] != 0 || got[1] != 0 {
		t.Errorf("segments of nobody are %v, want none", got)
	}
}

func TestAside(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name                 string
		places, widths, want []float64
	}{
		{"room for all", []float64{5, 50}, []float64{10, 10}, []float64{0, 45}},
		{"pushed to the right", []float64{5, 6, 7}, []float64{10, 10, 10}, []float64{0, 10, 20}},
		{"pushed back from the edge", []float64{97, 98, 99}, []float64{10, 10, 10}, []float64{70, 80, 90}},
	} {
		if got := aside(c.places, c.widths, 100); !slices.Equal(got, c.want) {
			t.Errorf("%s: places are %v, want %v", c.name, got, c.want)
		}
	}
}

// The resets above a queue are all counted, in the whole and around where they pile up.
func TestResetBins(t *testing.T) {
	t.Parallel()
	var times []time.Duration
	for i := range 100 {
		times = append(times, time.Second+time.Duration(i)*ms/10)
	}
	times = append(times, 3*time.Second)
	whole := window{0, 4 * time.Second}
	near, ok := whole.around(times)
	if !ok || near.From > time.Second || near.To < time.Second+99*ms/10 || near.len() > 20*ms {
		t.Fatalf("around is %v, %v, want a little more than 1 s to 1.0099 s", near, ok)
	}
	for _, c := range []struct {
		w    window
		want int
	}{{whole, 101}, {near, 100}} {
		sum := 0
		for _, n := range c.w.bins(times) {
			sum += n
		}
		if sum != c.want {
			t.Errorf("%v: the bins hold %d resets, want %d", c.w, sum, c.want)
		}
	}
	var everywhere []time.Duration
	for i := range 400 {
		everywhere = append(everywhere, time.Duration(i)*10*ms)
	}
	if near, ok := whole.around(append(everywhere, 3995*ms, 3996*ms)); !ok || near.len() > time.Second {
		t.Errorf("around resets that are everywhere is %v, %v, want a part of them", near, ok)
	}
	if _, ok := whole.around([]time.Duration{ms, 3 * time.Second}); ok {
		t.Error("single resets are drawn larger")
	}
	if _, ok := whole.around(nil); ok {
		t.Error("no resets are drawn larger")
	}
}

func TestFit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"short", "short"},
		{"two\nlines\x00", "two lines"},
		{"\u202eturned", "turned"},
		{strings.Repeat("a", 50), "aaaaaaaaa…"},
	} {
		if got := fit(c.text, 100, 10); c.want != "aaaaaaaaa…" && got != c.want ||
			c.want == "aaaaaaaaa…" && (textWidth(got, 10) > 110 || !strings.HasSuffix(got, "…")) {
			t.Errorf("fit(%q) = %q, want %q", c.text, got, c.want)
		}
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0", 420 * time.Microsecond: "420 µs", 1500 * time.Nanosecond: "1.5 µs", 51200 * time.Microsecond: "51.2 ms",
		1050 * ms: "1.05 s", 2 * time.Minute: "120 s", 999900 * time.Microsecond: "1000 ms",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestSlowColumns(t *testing.T) {
	t.Parallel()
	var times []ConnectTime
	for _, s := range []int{1, 2, 3, 4, 5, 7, 11, 19, 35, 67} {
		times = append(times, ConnectTime{time.Duration(s)*time.Second + 50*ms, 1, scenario.Served})
	}
	times = append(times, ConnectTime{999 * ms, 1, scenario.Served}, ConnectTime{999 * ms, 0, scenario.Served})
	groups := byFate(times)
	if len(groups) != 1 || len(groups[0].Quick) != 1 || len(groups[0].Slow) != 11 {
		t.Fatalf("groups are %v, want one quick and eleven slow", groups)
	}
	plot := newTimesPlot(groups)
	if want := []int{1, 2, 3, 4, 5, 7, 11, 19}; !slices.Equal(plot.seconds, want) || !plot.merged {
		t.Errorf("columns are %v, %v, want %v and the rest in the last one", plot.seconds, plot.merged, want)
	}
	if got, want := plot.slow(groups[0]), []int{2, 1, 1, 1, 1, 1, 1, 3}; !slices.Equal(got, want) {
		t.Errorf("counts are %v, want %v", got, want)
	}
}
