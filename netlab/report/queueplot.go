package report

import (
	"slices"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// The measures of a queue's picture.
const (
	plotLeft   = 48.0
	plotRight  = 696.0
	resetLane  = 64.0 // above the plot
	plotPoints = 162  // columns of pixels into which samples are gathered
)

// queuePlot draws samples and resets within a window.
type queuePlot struct {
	samples []scenario.QueueSample
	times   []time.Duration
	syn     bool // whether the SYN queue is drawn
	window  window
	mark    window // shaded, since it is drawn larger below; zero: none
	height  float64

	picture *picture
	x, y    scale
}

func (q *queuePlot) draw(label string) *picture {
	q.picture = &picture{Label: label, Height: num(resetLane + q.height + 30)}
	q.x = scale{float64(q.window.From), float64(q.window.To), plotLeft, plotRight}
	q.y = scale{0, q.top(), resetLane + q.height, resetLane}
	q.shade()
	q.axes()
	q.resets()
	q.synQueue()
	q.queue()
	return q.picture
}

// top is the upper end of the value axis, with room above the highest value.
func (q *queuePlot) top() float64 {
	most := 1
	for _, s := range q.samples {
		most = max(most, int(s.Length), int(s.Limit)+1)
		if q.syn {
			most = max(most, s.SYNQueue)
		}
	}
	return float64(most) * 1.12
}

func (q *queuePlot) shade() {
	if q.mark.len() == 0 {
		return
	}
	from, to := q.x.at(float64(q.mark.From)), q.x.at(float64(q.mark.To))
	middle, half := (from+to)/2, max(to-from, 5)/2
	q.picture.rect("near", middle-half, resetLane, 2*half, q.height)
}

func (q *queuePlot) axes() {
	p, bottom := q.picture, resetLane+q.height
	p.line("axis", plotLeft, bottom, plotRight, bottom)
	for _, v := range q.y.ticks(4) {
		p.line("grid", plotLeft, q.y.at(v), plotRight, q.y.at(v))
		p.text("end small quiet", plotLeft-6, q.y.at(v)+4, "%v", v)
	}
	origin := float64(0)
	if q.mark.len() == 0 && q.window.From > 0 {
		origin = float64(q.window.From)
	}
	shifted := scale{q.x.From - origin, q.x.To - origin, q.x.Start, q.x.End}
	for _, t := range shifted.ticks(6) {
		x := shifted.at(t)
		p.line("axis", x, bottom, x, bottom+5)
		if origin > 0 && x > plotRight-tickRoom {
			continue // there the label of the origin begins
		}
		text := tickSpan(t, max(shifted.To, -shifted.From))
		if origin > 0 {
			text = "+" + text
		}
		p.text("mid small quiet", x, bottom+20, "%s", text)
	}
	if origin > 0 {
		p.text("small quiet", plotRight+10, bottom+20, "from %s", span(time.Duration(origin)))
	}
}

// tickRoom is half the width of the label of a tick.
const tickRoom = 30

// resets draws how many there were in each part of the window, above the plot, each
// column with its count.
func (q *queuePlot) resets() {
	p := q.picture
	counts := q.window.bins(q.times)
	most := 0
	for _, n := range counts {
		most = max(most, n)
	}
	p.line("axis", plotLeft, resetLane-8, plotRight, resetLane-8)
	p.text("small bad", plotRight+10, resetLane-8, "resets")
	w := (plotRight - plotLeft) / resetBins
	for i, n := range counts {
		if n == 0 {
			continue
		}
		h := max(30*float64(n)/float64(most), 2)
		x := plotLeft + float64(i)*w
		p.rect("reset", x+3, resetLane-8-h, w-6, h)
		p.text("mid small bold bad", x+w/2, resetLane-12-h, "%d", n)
	}
}

// queue draws the length of the accept queue and its limit. A listener that is gone has
// neither.
func (q *queuePlot) queue() {
	limit := q.line("limit", func(s scenario.QueueSample) int { return int(s.Limit) })
	if limit >= 0 {
		q.picture.text("small", plotRight+10, q.y.at(float64(limit))+4, "limit %d", limit)
	}
	q.line("queue", func(s scenario.QueueSample) int { return int(s.Length) })
}

// line draws one value of the samples and gives its last one; -1: it drew nothing.
func (q *queuePlot) line(class string, value func(scenario.QueueSample) int) int {
	return q.series(class, &steps{}, q.samples, func(s scenario.QueueSample) int {
		if s.Gone {
			return -1
		}
		return value(s)
	})
}

// synQueue draws the length of the SYN queue as an area, from one look at it to the next.
// Where it is empty there is none.
func (q *queuePlot) synQueue() {
	if !q.syn {
		return
	}
	looks := slices.DeleteFunc(slices.Clone(q.samples), func(s scenario.QueueSample) bool { return s.SYNQueue < 0 && !s.Gone })
	q.series("syn", &steps{base: q.y.at(0)}, looks, func(s scenario.QueueSample) int {
		if s.SYNQueue == 0 {
			return -1
		}
		return s.SYNQueue
	})
}

// series draws one value of the samples; a negative one is a hole. Samples of one column
// of pixels are gathered, so that its highest and lowest show. It gives the last value
// that it drew, or -1.
func (q *queuePlot) series(class string, path *steps, samples []scenario.QueueSample, value func(scenario.QueueSample) int) int {
	last := -1
	for _, c := range q.columns(samples, value) {
		if c.hole {
			path.lift(c.x)
			continue
		}
		path.to(c.x, q.y.at(float64(c.first)))
		last = c.first
		for _, v := range []int{c.most, c.least, c.last} {
			if v != last {
				path.to(c.x, q.y.at(float64(v)))
				last = v
			}
		}
	}
	path.lift(plotRight)
	if last >= 0 {
		q.picture.path(class, path.String())
	}
	return last
}

// column is what the samples of one column of pixels have.
type column struct {
	x                        float64
	first, last, least, most int
	hole                     bool
}

// columns gathers the samples of the window. The last sample before it stands at its
// beginning.
func (q *queuePlot) columns(samples []scenario.QueueSample, value func(scenario.QueueSample) int) []column {
	const wide = (plotRight - plotLeft) / plotPoints
	var all []column
	for _, s := range samples {
		if s.At > q.window.To {
			break
		}
		v := value(s)
		x := plotLeft
		if q.x.inside(float64(s.At)) {
			x += float64(int((q.x.at(float64(s.At))-plotLeft)/wide)) * wide
		} else {
			all = all[:0]
		}
		if n := len(all); n > 0 && all[n-1].x == x && !all[n-1].hole && v >= 0 {
			c := &all[n-1]
			c.last, c.least, c.most = v, min(c.least, v), max(c.most, v)
			continue
		}
		all = append(all, column{x, v, v, v, v, v < 0})
	}
	return all
}
