package witness

import (
	"testing"
	"time"
)

// In ten seconds of ticks 10 ms apart, looks take 2 % of a processor at most, and one
// that is cheap enough is taken at each tick.
func TestPace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cost  time.Duration
		looks int
	}{
		{0, 1000},
		{200 * time.Microsecond, 1000}, // 10 ms apart, which is 2 %
		{201 * time.Microsecond, 500},
		{time.Millisecond, 200},
		{1001 * time.Microsecond, 167}, // 60 ms apart
		{time.Second, 1},
	} {
		var p pace
		looks := 0
		for now := time.Duration(0); now < 10*time.Second; now += 10 * time.Millisecond {
			if p.due(now) {
				looks++
				p.spent(now, c.cost)
			}
		}
		if looks != c.looks {
			t.Errorf("of looks that cost %v there are %d in ten seconds, want %d", c.cost, looks, c.looks)
		}
	}
}

// What fn itself does is counted, and what it waits for is not.
func TestProcessorTime(t *testing.T) {
	t.Parallel()
	const work = 10 * time.Millisecond
	spin := func() {
		for begin := threadTime(); threadTime() < begin+work; {
		}
	}
	if took := processorTime(spin); took < work {
		t.Errorf("%v of work took %v of a processor", work, took)
	}
	waiting := processorTime(func() {
		done := make(chan struct{})
		go func() {
			defer close(done)
			processorTime(spin)
		}()
		<-done
	})
	if waiting >= work {
		t.Errorf("to wait for %v of work took %v of a processor", work, waiting)
	}
}
