package report

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// mostListeners is how many listeners have a picture, in the order in which they were
// first sampled.
const mostListeners = 6

// queueView is one listener's queues over time.
type queueView struct {
	Name    string
	Summary string
	Whole   *picture // nil: nothing happened that could be drawn
	Near    *picture // where resets pile up; may be nil
	NearIn  string   // how wide that is
	SYN     bool     // the SYN queue is drawn too
	SYNPeak int      // of the SYN queue; -1: never looked at
	Members int      // most listeners that shared the address, and the SYN queue; 0: it was alone
	How     string   // what a reset is
	Peak    uint32
	Limit   uint32
	Resets  int
	Drops   uint32
}

// queueViews are the listeners of all hosts.
func (p Page) queueViews() (views []queueView, left string) {
	more := 0
	for _, h := range p.Evidence.Hosts {
		for _, name := range listeners(h.Queues) {
			if len(views) == mostListeners {
				more++
				continue
			}
			views = append(views, newQueueView(p.Evidence, h, name))
		}
	}
	if more > 0 {
		left = plural(more, "more listener")
	}
	return views, left
}

func listeners(samples []scenario.QueueSample) []netip.AddrPort {
	var names []netip.AddrPort
	known := map[netip.AddrPort]bool{}
	for _, s := range samples {
		if !known[s.Listener] {
			known[s.Listener] = true
			names = append(names, s.Listener)
		}
	}
	return names
}

func newQueueView(e scenario.Evidence, h scenario.Witnessed, listener netip.AddrPort) queueView {
	var samples []scenario.QueueSample
	v := queueView{Name: h.Host + " " + listener.String(), SYNPeak: -1}
	for _, s := range h.Queues {
		if s.Listener != listener {
			continue
		}
		samples = append(samples, s)
		v.Peak, v.SYNPeak, v.Limit, v.Drops = max(v.Peak, s.Length), max(v.SYNPeak, s.SYNQueue), s.Limit, s.Drops
		v.Members = max(v.Members, s.Members)
	}
	times, how := resetTimes(e, h, listener)
	v.Resets, v.How = len(times), how
	v.SYN = v.SYNPeak > 0 && lookedBetween(samples)
	v.Summary = v.summary()
	if v.quiet() {
		return v
	}
	whole := window{samples[0].At, samples[len(samples)-1].At}
	for _, t := range times {
		whole.From, whole.To = min(whole.From, t), max(whole.To, t)
	}
	if whole.From > 0 && whole.From < whole.len()/4 {
		whole.From = 0
	}
	if whole.len() == 0 {
		whole.To += time.Millisecond
	}
	near, zoom := whole.around(times)
	plot := queuePlot{samples: samples, times: times, syn: v.SYN, window: whole, height: 170}
	if zoom {
		plot.mark = near
		v.Near = (&queuePlot{samples: samples, times: times, syn: v.SYN, window: near, height: 110}).draw("the same, only where resets pile up")
		v.NearIn = span(near.len())
	}
	v.Whole = plot.draw("length of the accept queue over time, with its limit and the resets")
	return v
}

// lookedBetween tells whether the SYN queue was looked at after the first sample and before
// the last. Between these two alone nothing is known of it.
func lookedBetween(samples []scenario.QueueSample) bool {
	return slices.ContainsFunc(samples, func(s scenario.QueueSample) bool {
		return s.SYNQueue >= 0 && s.At > samples[0].At && s.At < samples[len(samples)-1].At
	})
}

// quiet tells that nothing ever waited, was dropped or was reset.
func (v queueView) quiet() bool {
	return v.Peak == 0 && v.SYNPeak <= 0 && v.Drops == 0 && v.Resets == 0
}

// summary says the picture in a sentence.
func (v queueView) summary() string {
	if v.quiet() {
		return fmt.Sprintf("Nobody was seen waiting, nothing was dropped; the limit is %d.", v.Limit)
	}
	s := fmt.Sprintf("At most %d were waiting, the limit is %d (full above it)", v.Peak, v.Limit)
	if v.Peak > v.Limit {
		s = fmt.Sprintf("The accept queue was full: %d were waiting, the limit is %d", v.Peak, v.Limit)
	}
	if v.Resets > 0 {
		s += fmt.Sprintf("; %s (%s)", plural(v.Resets, "reset"), v.How)
	}
	switch {
	case v.SYNPeak > 0 && v.Members > 0:
		s += fmt.Sprintf("; the SYN queues of the %d listeners on this address held up to %d together when they were looked at", v.Members, v.SYNPeak)
	case v.SYNPeak > 0:
		s += fmt.Sprintf("; the SYN queue held up to %d when it was looked at", v.SYNPeak)
	case v.SYNPeak == 0:
		s += "; the SYN queue was empty whenever it was looked at"
	}
	return s + "."
}
