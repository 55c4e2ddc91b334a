package report

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// paths are the paths of a picture by class.
func paths(p *picture) map[string]string {
	all := map[string]string{}
	for _, s := range p.Shapes {
		if s.Kind == "path" {
			all[s.Class] = s.D
		}
	}
	return all
}

// viewOf is the view of a listener with these samples, 100 ms apart.
func viewOf(samples ...scenario.QueueSample) queueView {
	listener := netip.MustParseAddrPort("198.18.0.2:8080")
	for i := range samples {
		samples[i].At, samples[i].Listener, samples[i].Limit = time.Duration(i)*100*ms, listener, 7
	}
	h := scenario.Witnessed{Host: "server", Queues: samples}
	return newQueueView(scenario.Evidence{Hosts: []scenario.Witnessed{h}}, h, listener)
}

// The SYN queue is an area from one look to the next, whatever came between, and there is
// none where it is empty. The lines of a listener that is gone end.
func TestQueuePicture(t *testing.T) {
	t.Parallel()
	v := viewOf(
		scenario.QueueSample{SYNQueue: 0}, scenario.QueueSample{SYNQueue: -1, Length: 2}, scenario.QueueSample{SYNQueue: 4, Length: 2},
		scenario.QueueSample{SYNQueue: -1, Length: 1}, scenario.QueueSample{SYNQueue: 0, Length: 1}, scenario.QueueSample{SYNQueue: -1, Length: 1, Gone: true},
	)
	// 100 ms are 129.6 wide, cut to columns of 4. A connection is 170/8.96 high, above 234.
	want := map[string]string{
		"queue": "M48 234H176V196.1H304V196.1H436V215H564V215H696",
		"limit": "M48 101.2H176V101.2H304V101.2H436V101.2H564V101.2H696",
		"syn":   "M304 234V158.1H564V234Z",
	}
	got := paths(v.Whole)
	for class, d := range want {
		if got[class] != d {
			t.Errorf("the path of %s is %s, want %s", class, got[class], d)
		}
	}
	if want := "At most 2 were waiting, the limit is 7 (full above it); the SYN queue held up to 4 when it was looked at."; v.Summary != want {
		t.Errorf("the summary is %q, want %q", v.Summary, want)
	}
}

// What the SYN queue held between the start and the end is drawn only if somebody looked.
func TestUnknownSYNQueue(t *testing.T) {
	t.Parallel()
	ends := []scenario.QueueSample{{SYNQueue: 3}, {SYNQueue: -1, Length: 1}, {SYNQueue: 0, Length: 1}}
	if v := viewOf(ends...); v.SYN || strings.Contains(paths(v.Whole)["syn"], "M") {
		t.Errorf("a SYN queue is drawn that was not looked at: %v", paths(v.Whole))
	}
	ends[1].SYNQueue = 3
	if v := viewOf(ends...); !v.SYN || paths(v.Whole)["syn"] == "" {
		t.Error("a SYN queue that was looked at is not drawn")
	}
}

// Of members of SO_REUSEPORT one has the half-open connections of all, and it is said so.
func TestSYNQueueOfMembers(t *testing.T) {
	t.Parallel()
	v := viewOf(scenario.QueueSample{Members: 2, SYNQueue: 4}, scenario.QueueSample{Members: 2, SYNQueue: -1})
	want := "At most 0 were waiting, the limit is 7 (full above it); the SYN queues of the 2 listeners on this address held up to 4 together when they were looked at."
	if v.Summary != want {
		t.Errorf("the summary is %q, want %q", v.Summary, want)
	}
}

// A listener that nothing happened to has a sentence and no picture.
func TestQuietListener(t *testing.T) {
	t.Parallel()
	v := viewOf(scenario.QueueSample{SYNQueue: 0}, scenario.QueueSample{SYNQueue: 0})
	if want := "Nobody was seen waiting, nothing was dropped; the limit is 7."; v.Whole != nil || v.Summary != want {
		t.Errorf("picture %v and summary %q, want none and %q", v.Whole, v.Summary, want)
	}
	for what, s := range map[string]scenario.QueueSample{"a drop": {Drops: 1}, "one half-open": {SYNQueue: 1}, "one waiting": {Length: 1}} {
		if viewOf(scenario.QueueSample{}, s).Whole == nil {
			t.Errorf("a listener with %s has no picture", what)
		}
	}
}
