package scenario

import (
	"testing"
	"time"
)

func TestLimit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		backlog, somaxconn int
		want               uint32
	}{
		{0, 4096, 0},
		{64, 4096, 64},
		{4095, 4096, 4095},
		{4096, 4096, 4096},
		{4097, 4096, 4096},
		{-1, 4096, 4096}, // as unsigned the largest there is
		{-1, 1<<31 - 1, 1<<31 - 1},
		{1<<31 - 1, 1<<31 - 1, 1<<31 - 1},
		{64, 0, 0},
	} {
		if got := (Scenario{Somaxconn: test.somaxconn}).Limit(test.backlog); got != test.want {
			t.Errorf("Limit(%d) with somaxconn %d = %d, want %d", test.backlog, test.somaxconn, got, test.want)
		}
	}
}

// The scenario's own backlog has no say in what a later listen(2) gives.
func TestLimitIsOfTheArgument(t *testing.T) {
	t.Parallel()
	if got := (Scenario{Backlog: 8, Somaxconn: 128}).Limit(16); got != 16 {
		t.Errorf("Limit(16) = %d, want 16", got)
	}
}

func TestSettled(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		arrivals  Arrivals
		rtt, want time.Duration
	}{
		{nil, 100 * ms, 200 * ms},
		{Arrivals{{Clients: 64}, {Clients: 100, At: 500 * ms}}, 0, 500 * ms},
		{Arrivals{{Clients: 3, At: 500 * ms, Gap: ms}, {Clients: 1}}, 100 * ms, 702 * ms},
	} {
		if got := (Scenario{Arrivals: test.arrivals, RTT: test.rtt}).Settled(); got != test.want {
			t.Errorf("Settled() of %v with rtt %v = %v, want %v", test.arrivals, test.rtt, got, test.want)
		}
	}
}
