package wire

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
	"golang.org/x/sys/unix"
)

// A handshake takes half a round trip a segment. Of an odd round trip the server's
// half is the longer one, so that both add up.
func TestHandshakeTakesItsTime(t *testing.T) {
	for rtt, want := range map[time.Duration][]string{
		100 * time.Millisecond:   {"client S 0s [50ms]", "server S. 50ms [100ms]", "client . 100ms [150ms]"},
		101 * time.Nanosecond:    {"client S 0s [50ns]", "server S. 50ns [101ns]", "client . 101ns [151ns]"},
		time.Nanosecond:          {"client S 0s [0s]", "server S. 0s [1ns]", "client . 1ns [1ns]"},
		0:                        {"client S 0s [0s]", "server S. 0s [0s]", "client . 0s [0s]"},
		333*time.Microsecond + 1: {"client S 0s [166.5µs]", "server S. 166.5µs [333.001µs]", "client . 333.001µs [499.501µs]"},
	} {
		t.Run(rtt.String(), func(t *testing.T) {
			t.Parallel()
			w := newWire(t)
			w.SetRTT(rtt)
			all := open(t, &w.hosts, 1, false)
			connectAll(t, all)
			must(t, w.Run())
			checkTravels(t, w, want...)
			if want := rtt + rtt/2; w.Now() != want {
				t.Errorf("now is %v, want %v", w.Now(), want)
			}
			if got := acceptAll(t, all); len(got) != 1 {
				t.Errorf("the server accepted %v, want one", got)
			}
		})
	}
}

func TestAtKeepsTheOrder(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	var got []string
	note := func(what string) func() error {
		return func() error {
			got = append(got, w.Now().String()+" "+what)
			return nil
		}
	}
	w.At(20*time.Millisecond, note("last"))
	w.At(10*time.Millisecond, note("first of three"))
	w.At(10*time.Millisecond, func() error {
		w.At(10*time.Millisecond, note("third of three"))
		w.At(0, note("late, and so now"))
		return note("second of three")()
	})
	w.At(0, note("at once"))
	must(t, w.Run())
	want := []string{
		"0s at once", "10ms first of three", "10ms second of three", "10ms third of three", "10ms late, and so now", "20ms last",
	}
	if !slices.Equal(got, want) || w.Now() != 20*time.Millisecond {
		t.Errorf("happened %q, now %v\nwant %q", got, w.Now(), want)
	}
}

// On a wire without latency the whole handshake is over before the next event of the
// same instant.
func TestPacketsWithoutLatencyComeFirst(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	all := open(t, &w.hosts, 1, false)
	w.At(0, func() error { return all.connect(0) })
	w.At(0, func() error {
		if got := acceptAll(t, all); len(got) != 1 {
			t.Errorf("at the same instant the server accepted %v, want one", got)
		}
		return nil
	})
	must(t, w.Run())
	if w.Now() != 0 {
		t.Errorf("now is %v, want zero", w.Now())
	}
}

// On a wire with latency a packet takes its turn from when it was sent.
func TestPacketsWithLatencyTakeTheirTurn(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.SetRTT(rtt)
	all := open(t, &w.hosts, 1, false)
	var sent []int
	count := func() error {
		sent = append(sent, len(w.Packets()))
		return nil
	}
	w.At(rtt/2, count)
	w.At(0, func() error { return all.connect(0) })
	w.At(0, func() error {
		w.At(rtt/2, count)
		return nil
	})
	must(t, w.Run())
	if want := []int{1, 2}; !slices.Equal(sent, want) {
		t.Errorf("before and after the SYN's arrival %v packets were sent, want %v", sent, want)
	}
}

// The first error ends a run; the next one goes on behind it.
func TestRunReturnsErrors(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	first, second := errors.New("first"), errors.New("second")
	w.At(time.Second, func() error { return first })
	w.At(2*time.Second, func() error { return second })
	for i, want := range []error{first, second, nil} {
		if err := w.Run(); err != want {
			t.Errorf("run %d returned %v, want %v", i, err, want)
		}
	}
	w.Inject(Client, []byte{0})
	err := w.Run()
	if want := "write to the server's device: write: invalid argument"; !errors.Is(err, unix.EINVAL) || err.Error() != want {
		t.Errorf("run with a bad packet returned %v, want %s", err, want)
	}
}

// Time begins when the wire is made and again with each play.
func TestNow(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	for _, want := range []time.Duration{0, time.Hour} {
		w.At(want, func() error { return nil })
		must(t, w.Run())
		if w.Now() != want {
			t.Errorf("now is %v, want %v", w.Now(), want)
		}
	}
	s := scenario.Defaults()
	s.Arrivals, s.Accept.Mode = scenario.Arrivals{{Clients: 1, At: time.Minute}}, scenario.AcceptNow
	if _, err := w.Play(s); err != nil || w.Now() != time.Minute {
		t.Errorf("after a play of one minute now is %v, %v", w.Now(), err)
	}
}
