package report

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/rstlab/rstlab/netlab/diagnose"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// The ladder's measures: where the two ends stand, how far apart its rows are, and how
// many packets it has before its middle is cut out.
const (
	clientX   = 175.0
	serverX   = 625.0
	rungStep  = 26.0
	restStep  = 30.0
	slope     = 12.0 // of an arrow that was seen at one end only
	longRest  = 300 * time.Millisecond
	firstHops = 10
	lastHops  = 4
)

// ladderView is the packets of one flow.
type ladderView struct {
	Picture *picture
	Caption string
}

// moment is an end of a hop: it left or it came.
type moment struct {
	at   time.Duration
	hop  int
	left bool
	cut  int // instead of a hop: so many were cut out here
}

// ladder draws the packets of a flow, or nil if there are none.
func ladder(f *diagnose.Flow, e scenario.Evidence) *ladderView {
	w := follow(f, e)
	if len(w.hops) == 0 {
		return nil
	}
	l := laddering{walk: w, address: f.Client.Addr(), picture: &picture{Label: "packets of one connection, client on the left, server on the right, time downwards"}}
	l.start = w.hops[0].first()
	l.head(f)
	l.place()
	l.picture.line("life", clientX, 34, clientX, l.y)
	l.picture.line("life", serverX, 34, serverX, l.y)
	for i := range w.hops {
		l.arrow(i)
	}
	l.picture.Height = num(l.y + 4)
	return &ladderView{l.picture, l.caption()}
}

// laddering is a ladder being drawn.
type laddering struct {
	walk
	picture *picture
	address netip.Addr // the client's
	start   time.Duration
	y       float64
	rows    map[moment]float64
}

func (l *laddering) head(f *diagnose.Flow) {
	l.picture.text("bold", 0, 16, "%s", endName("client", f.Client, l.client))
	l.picture.text("bold end", width, 16, "%s", endName("server", f.Server, l.server))
	l.y = 40
}

// endName is what an end is, its address, and its host's name if that says more.
func endName(end string, a netip.AddrPort, h *scenario.Witnessed) string {
	name := end + " " + a.String()
	if h != nil && h.Host != end && at(h, a.Addr()) {
		name += " (" + h.Host + ")"
	}
	return fit(name, width/2-10, fontSize*1.05)
}

func (l *laddering) caption() string {
	switch {
	case l.client != nil && l.server != nil:
		return "Captured at both ends; times count from its first packet."
	case l.server != nil:
		return "Captured at the server only; times count from its first packet."
	case !at(l.client, l.address):
		return "Captured at " + clean(l.client.Host) + ", somewhere on the way; times count from its first packet."
	}
	return "Captured at the client only; times count from its first packet."
}

// place gives each end of each hop a row, and marks rests and what is cut out.
func (l *laddering) place() {
	l.rows = map[moment]float64{}
	last := l.start
	for _, m := range l.moments() {
		if m.cut > 0 {
			l.picture.text("mid quiet halo", width/2, l.y+18, "%s", plural(m.cut, "more packet")+" not shown")
			l.y += restStep
			continue
		}
		if rest := m.at - last; rest >= longRest {
			l.picture.text("mid quiet halo", width/2, l.y+20, "⋮  %s later", span(rest))
			l.y += restStep
		}
		h := l.hops[m.hop]
		l.y += rungStep
		if h.Left == nil {
			l.y += slope
		}
		l.rows[m], last = l.y, m.at
		if h.Came == nil {
			l.y += slope
		}
	}
	l.y += 10
}

// moments are the ends of the hops that are drawn, in the order of their times.
func (l *laddering) moments() []moment {
	var all []moment
	for i, h := range l.hops {
		if cut := len(l.hops) - firstHops - lastHops; cut > 0 && i >= firstHops && i < firstHops+cut {
			if i == firstHops {
				all = append(all, moment{at: h.first(), cut: cut})
			}
			continue
		}
		if h.Left != nil {
			all = append(all, moment{at: *h.Left, hop: i, left: true})
		}
		if h.Came != nil {
			all = append(all, moment{at: *h.Came, hop: i})
		}
	}
	slices.SortStableFunc(all, func(a, b moment) int { return cmp.Compare(a.at, b.at) })
	return all
}

// arrow draws one hop, if it has a row.
func (l *laddering) arrow(i int) {
	h := l.hops[i]
	from, to := clientX, serverX
	if !h.FromClient {
		from, to = to, from
	}
	y1, y2, drawn := l.ends(i)
	if !drawn {
		return
	}
	l.times(h, from, to, y1, y2)
	class := "hop"
	switch {
	case h.Has(scenario.RST):
		class = "hop rst"
	case h.Lost || h.Unanswered:
		class = "hop dashed"
	}
	switch {
	case h.Lost:
		to = from + 0.7*(to-from)
		l.picture.cross("cross", to, y2)
	case h.Alien:
		from += 0.3 * (to - from)
		l.picture.arrowHead(class+" head", from, y1, to, y2)
	case h.Unanswered:
		l.picture.cross("cross", to, y2)
	default:
		l.picture.arrowHead(class+" head", from, y1, to, y2)
	}
	l.picture.line(class, from, y1, to, y2)
	l.label(h, y1)
}

// ends are the heights at which a hop begins and ends. One that was seen at one end
// only gets the other end's near it.
func (l *laddering) ends(i int) (y1, y2 float64, drawn bool) {
	h := l.hops[i]
	if h.Left != nil {
		y1, drawn = l.rows[moment{at: *h.Left, hop: i, left: true}]
		y2 = y1 + slope
	}
	if h.Came != nil {
		y2, drawn = l.rows[moment{at: *h.Came, hop: i}]
		if h.Left == nil {
			y1 = y2 - slope
		}
	}
	return y1, y2, drawn
}

// times writes when a hop left and came, outside the ends, and what is to be said there.
func (l *laddering) times(h hop, from, to, y1, y2 float64) {
	beside := func(x, y float64, parts ...string) {
		text := strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), ", ")
		if x == clientX {
			l.picture.text("end small quiet", x-10, y+4, "%s", text)
		} else {
			l.picture.text("small quiet", x+10, y+4, "%s", text)
		}
	}
	since := func(t *time.Duration) string {
		if t == nil {
			return ""
		}
		return exactSpan(*t - l.start)
	}
	left, came := "", ""
	switch {
	case h.Alien:
		left = "never left here"
	case h.Lost:
		came = "never came"
	case h.Unanswered:
		came = "no answer"
	}
	beside(from, y1, since(h.Left), left)
	beside(to, y2, since(h.Came), came)
}

// label names a hop where it leaves. One that did not leave is named where it comes.
func (l *laddering) label(h hop, y float64) {
	class, x := "halo", clientX+10
	if h.FromClient == h.Alien {
		class, x = "halo end", serverX-10
	}
	if h.Has(scenario.RST) {
		class += " bold bad"
	}
	if h.Alien { // above its arrow, which begins below the name
		y -= 5
	}
	l.picture.text(class, x, y-4, "%s", h.name())
}
