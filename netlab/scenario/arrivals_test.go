package scenario

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"
)

func TestArrivalsDue(t *testing.T) {
	t.Parallel()
	arrivals := Arrivals{{Clients: 2, At: time.Second}, {Clients: 3, Gap: 20 * time.Millisecond}}
	var got []string
	for client, due := range arrivals.Due() {
		got = append(got, fmt.Sprint(client, " ", due))
		if client == 3 {
			break // a consumer may stop early
		}
	}
	if want := []string{"0 1s", "1 1s", "2 0s", "3 20ms"}; !slices.Equal(got, want) {
		t.Errorf("due: %q, want %q", got, want)
	}
	if n := arrivals.Clients(); n != 5 {
		t.Errorf("%d clients, want 5", n)
	}
}

// Too many clients to count are as many as can be counted, so that they stay too many.
func TestArrivalsClients(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		arrivals Arrivals
		want     int
	}{
		{nil, 0},
		{Arrivals{{Clients: 2}, {Clients: 3}}, 5},
		{Arrivals{{Clients: math.MaxInt - 1}, {Clients: 1}}, math.MaxInt},
		{Arrivals{{Clients: math.MaxInt}, {Clients: math.MaxInt}, {Clients: 3}}, math.MaxInt},
	} {
		if got := test.arrivals.Clients(); got != test.want {
			t.Errorf("Clients() of %v = %d, want %d", test.arrivals, got, test.want)
		}
	}
}

func TestArrivalsLast(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		arrivals Arrivals
		want     time.Duration
	}{
		{"no waves", nil, 0},
		{"burst", Arrivals{{Clients: 64, At: 5 * ms}}, 5 * ms},
		{"pace", Arrivals{{Clients: 3, At: 5 * ms, Gap: 20 * ms}}, 45 * ms},
		{"earlier wave last", Arrivals{{Clients: 3, Gap: 20 * ms}, {Clients: 1, At: 39 * ms}}, 40 * ms},
		{"later wave first", Arrivals{{Clients: 1, At: 41 * ms}, {Clients: 3, Gap: 20 * ms}}, 41 * ms},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := test.arrivals.Last(); got != test.want {
				t.Errorf("Last() of %v = %v, want %v", test.arrivals, got, test.want)
			}
			var due time.Duration
			for _, at := range test.arrivals.Due() {
				due = max(due, at)
			}
			if due != test.want {
				t.Errorf("Due() of %v ends at %v, want %v", test.arrivals, due, test.want)
			}
		})
	}
}

func TestArrivalsValidate(t *testing.T) {
	t.Parallel()
	good := Wave{Clients: 1}
	for _, c := range []struct {
		arrivals Arrivals
		want     string
	}{
		{Arrivals{good, {Clients: 0}}, "wave 1: clients is 0, want at least 1"},
		{Arrivals{{Clients: 1, At: -1}}, "wave 0: at is -1ns, want zero or more"},
		{Arrivals{{Clients: 1, Gap: -time.Second}}, "wave 0: gap is -1s, want zero or more"},
		{Arrivals{good}, "<nil>"},
		{nil, "<nil>"},
	} {
		if got := fmt.Sprint(c.arrivals.Validate()); got != c.want {
			t.Errorf("Validate of %v: %s, want %s", c.arrivals, got, c.want)
		}
	}
}

func ExampleArrivals() {
	// A burst of 64 fills the queue; half a second later comes the real one.
	arrivals := Arrivals{{Clients: 64}, {Clients: 400, At: 500 * time.Millisecond}}
	fmt.Println(arrivals.Clients())
	// Output: 464
}
