package diagnose

import (
	"net/netip"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

const ms = time.Millisecond

// samples are readings of one counter.
func samples(name string, at []time.Duration, values ...uint64) []scenario.CounterSample {
	var all []scenario.CounterSample
	for i, v := range values {
		all = append(all, scenario.CounterSample{At: at[i], Counters: scenario.Counters{name: v}})
	}
	return all
}

func TestAround(t *testing.T) {
	p := newPlace(scenario.Witnessed{Counters: samples("X", []time.Duration{0, 10 * ms, 20 * ms, 30 * ms}, 0, 0, 0, 0)})
	for at, want := range map[time.Duration]window{
		15 * ms:   {10 * ms, 20 * ms},
		12 * ms:   {0, 20 * ms},        // too near to the reading at 10 ms
		18 * ms:   {10 * ms, 30 * ms},  // and at 20 ms
		27 * ms:   {20 * ms, all.to},   // none is late enough
		3 * ms:    {all.from, 10 * ms}, // none is early enough
		-1 * ms:   {all.from, 10 * ms}, // before all
		time.Hour: {30 * ms, all.to},   // after all
	} {
		if got := p.around(at); got != want {
			t.Errorf("around(%v) = %v, want %v", at, got, want)
		}
	}
	if got := newPlace(scenario.Witnessed{}).around(0); got != all {
		t.Errorf("around() without counters = %v, want the whole run", got)
	}
}

func TestMoved(t *testing.T) {
	p := newPlace(scenario.Witnessed{Counters: samples("X", []time.Duration{0, 10 * ms, 20 * ms}, 1, 3, 7)})
	for w, want := range map[window]uint64{all: 6, {0, 10 * ms}: 2, {10 * ms, 20 * ms}: 4, {5 * ms, 12 * ms}: 6, {10 * ms, all.to}: 4, {all.from, 10 * ms}: 2} {
		if got, known := p.moved("X", w); got != want || !known {
			t.Errorf("moved(X, %v) = %d, %v, want %d", w, got, known, want)
		}
	}
	if got, known := p.moved("Y", all); got != 0 || !known {
		t.Errorf("moved(Y) = %d, %v, want 0: what is absent stands at zero", got, known)
	}
	for name, bad := range map[string][]scenario.CounterSample{
		"none": nil, "one reading": samples("X", []time.Duration{0}, 5), "backwards": samples("X", []time.Duration{0, 1}, 5, 3),
	} {
		if got, known := newPlace(scenario.Witnessed{Counters: bad}).moved("X", all); known {
			t.Errorf("moved(X) of %s = %d, want that it is not known", name, got)
		}
	}
}

func TestWithin(t *testing.T) {
	times := []time.Duration{1, 2, 2, 3, 5}
	for w, want := range map[window]int{all: 5, {1, 3}: 3, {0, 2}: 3, {5, 9}: 0, {3, 5}: 1} {
		if got := within(times, w); got != want {
			t.Errorf("within(%v, %v) = %d, want %d", times, w, got, want)
		}
	}
}

// queue is a reading of a listener on port 80.
func queue(at time.Duration, inode, length, drops uint32, gone bool) scenario.QueueSample {
	return scenario.QueueSample{At: at, Listener: netip.MustParseAddrPort("0.0.0.0:80"), Inode: inode, Length: length, Drops: drops, Gone: gone}
}

func TestDrops(t *testing.T) {
	p := newPlace(scenario.Witnessed{Queues: []scenario.QueueSample{queue(0, 1, 0, 2, false), queue(10*ms, 1, 0, 5, false), queue(30*ms, 1, 0, 9, false)}})
	for w, want := range map[window]uint32{all: 7, {0, 10 * ms}: 3, {10 * ms, 30 * ms}: 4, {0, 3 * ms}: 0} {
		if got, looked := p.drops(serverEnd, w); got != want || !looked {
			t.Errorf("drops(%v) = %d, %v, want %d", w, got, looked, want)
		}
	}
	if got, looked := p.drops(netip.MustParseAddrPort("10.0.0.1:81"), all); got != 0 || looked {
		t.Errorf("drops of another port = %d, %v, want that nobody looked", got, looked)
	}
}

func TestAliveAndBuried(t *testing.T) {
	for _, c := range []struct {
		name   string
		queues []scenario.QueueSample
		alive  bool // after 20 ms
		buried int
	}{
		{"nobody looked", nil, false, 0},
		{"it is there", []scenario.QueueSample{queue(0, 1, 3, 0, false), queue(30*ms, 1, 3, 0, false)}, true, 0},
		{"nothing new about it", []scenario.QueueSample{queue(0, 1, 3, 0, false)}, true, 0},
		{"it is gone", []scenario.QueueSample{queue(0, 1, 3, 0, false), queue(10*ms, 1, 3, 0, true)}, false, 3},
		{"it went later", []scenario.QueueSample{queue(30*ms, 1, 3, 0, false), queue(90*ms, 1, 3, 0, true)}, true, 0},
		{"another came", []scenario.QueueSample{queue(0, 1, 3, 0, false), queue(10*ms, 1, 2, 0, true), queue(30*ms, 2, 0, 0, false)}, false, 2},
	} {
		p := newPlace(scenario.Witnessed{Queues: c.queues})
		if got := p.alive(serverEnd, 20*ms); got != c.alive {
			t.Errorf("%s: alive() = %v, want %v", c.name, got, c.alive)
		}
		if got := p.buried(serverEnd, window{0, 20 * ms}); got != c.buried {
			t.Errorf("%s: buried() = %d, want %d", c.name, got, c.buried)
		}
	}
}

func TestListensOn(t *testing.T) {
	for listener, want := range map[string]bool{"0.0.0.0:80": true, "[::]:80": true, "10.0.0.1:80": true, "10.0.0.9:80": false, "0.0.0.0:81": false} {
		if got := listensOn(netip.MustParseAddrPort(listener), serverEnd); got != want {
			t.Errorf("listensOn(%s, %v) = %v, want %v", listener, serverEnd, got, want)
		}
	}
}

func TestLogged(t *testing.T) {
	p := newPlace(scenario.Witnessed{Log: []scenario.LogLine{{Text: "started"}, {Text: "accept: too many open files"}}})
	if line, ok := p.logged("accept", "too many"); !ok || line.Text != "accept: too many open files" {
		t.Errorf("logged() = %v, %v, want the second line", line, ok)
	}
	if line, ok := p.logged("accept", "refused"); ok {
		t.Errorf("logged() = %v, want none", line)
	}
}
