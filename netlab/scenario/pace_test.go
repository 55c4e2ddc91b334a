package scenario

import (
	"math"
	"reflect"
	"slices"
	"testing"
	"time"
)

// instants are when the clients are due.
func instants(a Arrivals) []time.Duration {
	var due []time.Duration
	for _, at := range a.Due() {
		due = append(due, at)
	}
	return due
}

func TestRamp(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		clients     int
		first, last time.Duration
		want        []time.Duration
	}{
		{0, 8 * ms, 2 * ms, nil},
		{1, 8 * ms, 2 * ms, []time.Duration{0}},
		{2, 8 * ms, 2 * ms, []time.Duration{0, 8 * ms}},
		{5, 8 * ms, 2 * ms, []time.Duration{0, 8 * ms, 14 * ms, 18 * ms, 20 * ms}},
		{4, 0, 4 * ms, []time.Duration{0, 0, 2 * ms, 6 * ms}},
	} {
		ramp := Ramp(test.clients, test.first, test.last)
		if got := instants(ramp); !slices.Equal(got, test.want) {
			t.Errorf("Ramp(%d, %v, %v) is due at %v, want %v", test.clients, test.first, test.last, got, test.want)
		}
		if err := ramp.Validate(); err != nil {
			t.Errorf("Ramp(%d, %v, %v): %v", test.clients, test.first, test.last, err)
		}
	}
}

// The gaps of Poisson arrivals have the mean and the deviation of an exponential
// distribution, which are the same.
func TestPoisson(t *testing.T) {
	t.Parallel()
	const clients = 100_000
	const gap = 20 * ms
	arrivals := Poisson(clients, gap, 7)
	if err := arrivals.Validate(); err != nil || arrivals.Clients() != clients || arrivals[0].At != 0 {
		t.Fatalf("%d clients, the first at %v, %v", arrivals.Clients(), arrivals[0].At, err)
	}
	var sum, squares float64
	for i := range clients - 1 {
		d := float64(arrivals[i+1].At - arrivals[i].At)
		sum, squares = sum+d, squares+d*d
	}
	mean := sum / (clients - 1)
	deviation := math.Sqrt(squares/(clients-1) - mean*mean)
	if got, want := time.Duration(mean).Round(ms), gap; got != want {
		t.Errorf("mean gap is %v, want %v to the millisecond", got, want)
	}
	if got, want := time.Duration(deviation).Round(ms), gap; got != want {
		t.Errorf("deviation of the gaps is %v, want %v to the millisecond", got, want)
	}
	if !reflect.DeepEqual(arrivals, Poisson(clients, gap, 7)) || reflect.DeepEqual(arrivals, Poisson(clients, gap, 8)) {
		t.Error("the same seed gives other arrivals, or another one the same")
	}
}
