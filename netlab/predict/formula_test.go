package predict

import (
	"fmt"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// Nobody accepts and clients come one by one: as many are reset as SYNs are answered
// while the ACK that fills the queue is under way, and never more than the SYN queue
// holds beside them. min(RTT/gap, B), and N-(B+1) drops in any case.
func TestPacedFormula(t *testing.T) {
	for _, backlog := range []int{0, 1, 5, 16, 64} {
		for _, gap := range []time.Duration{time.Millisecond, 3 * time.Millisecond, 20 * time.Millisecond, 150 * time.Millisecond} {
			t.Run(fmt.Sprintf("backlog=%d,gap=%v", backlog, gap), func(t *testing.T) {
				s := stalled(400, backlog)
				s.Arrivals[0].Gap, s.SYNCookies = gap, 0
				o := mustRun(t, s)
				if want := min(int(s.RTT/gap), backlog); o.Fates[scenario.Reset] != want {
					t.Errorf("%d are reset, want %d", o.Fates[scenario.Reset], want)
				}
				if want := uint64(400 - (backlog + 1)); o.Server["ListenDrops"] != want {
					t.Errorf("ListenDrops is %d, want %d", o.Server["ListenDrops"], want)
				}
			})
		}
	}
}

// A listener that listens again with a smaller backlog while N handshakes are under
// way resets N-(b+1) of them.
func TestShrinkFormula(t *testing.T) {
	for _, n := range []int{1, 2, 100, 4001} {
		for _, backlog := range []int{0, 1, 50, 99, 100} {
			s := stalled(n, 4095)
			s.ListenAgain = []scenario.Listen{{At: 70 * time.Millisecond, Backlog: backlog}}
			if got, want := mustRun(t, s).Fates[scenario.Reset], max(0, n-(backlog+1)); got != want {
				t.Errorf("%d handshakes, backlog %d: %d are reset, want %d", n, backlog, got, want)
			}
		}
	}
}

// A burst fills the queue, k are accepted within a second, and the SYN retries come in
// one batch: min(N-(B+1), B+1) - k are reset, and nobody if nothing was accepted.
func TestRetryBatchFormula(t *testing.T) {
	for _, clients := range []int{100, 400, 800} {
		for k, every := range map[int]time.Duration{1: 1500 * time.Millisecond, 3: 400 * time.Millisecond, 10: 105 * time.Millisecond} {
			s := stalled(clients, 64)
			s.SYNCookies, s.Horizon = 0, 1450*time.Millisecond // 1.15 s is when the ACKs of the batch come
			s.Accept = scenario.Accept{Mode: scenario.AcceptEvery, Every: every}
			want := min(clients-65, 65) - k
			if got := mustRun(t, s).Fates[scenario.Reset]; got != want {
				t.Errorf("%d clients, %d accepts: %d are reset, want %d", clients, k, got, want)
			}
		}
		s := stalled(clients, 64)
		s.Horizon = 1450 * time.Millisecond
		if got := mustRun(t, s).Fates[scenario.Reset]; got != 0 {
			t.Errorf("%d clients, no accept: %d are reset, want none", clients, got)
		}
	}
}

// Kernels before the change of early 2025 hold one half-open connection less; with a
// backlog of zero they let nobody in.
func TestOlderSYNQueue(t *testing.T) {
	older := scenario.Calibration{SYNQueueExtra: 0, LinearSYNTimeouts: 4}
	for backlog, want := range map[int]int{0: 0, 1: 1, 16: 16} {
		s := stalled(400, backlog)
		s.SYNCookies = 0
		o, err := Run(s, older)
		if err != nil {
			t.Fatal(err)
		}
		if got := o.Fates[scenario.Queued]; got != want {
			t.Errorf("backlog %d: %d of a burst are queued, want %d", backlog, got, want)
		}
	}
}

// SYNs are repeated a second apart four times and then at doubled times; kernels
// before 6.5 double from the start. After the last one the client gives up.
func TestSYNRetries(t *testing.T) {
	for _, c := range []struct {
		linear  int
		horizon time.Duration
		want    uint64
	}{
		{4, 500 * time.Millisecond, 0}, {4, 1500 * time.Millisecond, 1}, {4, 4500 * time.Millisecond, 4},
		{4, 5500 * time.Millisecond, 5}, {4, 6900 * time.Millisecond, 5}, {4, 7100 * time.Millisecond, 6}, {4, 11500 * time.Millisecond, 7},
		{4, 68 * time.Second, 10}, {4, 200 * time.Second, 10},
		{0, 1500 * time.Millisecond, 1}, {0, 2900 * time.Millisecond, 1}, {0, 3100 * time.Millisecond, 2}, {0, 7500 * time.Millisecond, 3},
		{0, 64 * time.Second, 6}, {0, 200 * time.Second, 6},
	} {
		s := stalled(2, 0)
		s.SYNCookies, s.Horizon = 0, c.horizon
		o, err := Run(s, scenario.Calibration{SYNQueueExtra: 1, LinearSYNTimeouts: c.linear}) // and timers on the instant
		if err != nil {
			t.Fatal(err)
		}
		if got := o.Client["TCPSynRetrans"]; got != c.want {
			t.Errorf("linear %d, after %v: %d SYNs were repeated, want %d", c.linear, c.horizon, got, c.want)
		}
		if gaveUp := o.Client["AttemptFails"]; gaveUp != 0 && c.horizon < 127*time.Second || gaveUp != 1 && c.horizon > 131*time.Second {
			t.Errorf("linear %d, after %v: AttemptFails is %d", c.linear, c.horizon, gaveUp)
		}
	}
}

// A kept request is gone after 2^(r+1)-1 seconds, without a word.
func TestKeptExpires(t *testing.T) {
	for retries, after := range map[int]time.Duration{0: time.Second, 1: 3 * time.Second, 2: 7 * time.Second} {
		s := stalled(3, 1)
		s.AbortOnOverflow, s.SYNCookies, s.SYNACKRetries = false, 0, retries
		s.Arrivals[0].Gap = 60 * time.Millisecond
		arrived := 2*s.Arrivals[0].Gap + s.RTT/2
		s.Horizon = arrived + after - time.Millisecond
		if got := mustRun(t, s).Fates; got[scenario.Kept] != 1 {
			t.Errorf("retries %d, just before %v: %v, want one kept", retries, after, got)
		}
		s.Horizon = arrived + after
		if got := mustRun(t, s).Fates; got[scenario.Kept] != 0 || got[scenario.Ghost] != 1 {
			t.Errorf("retries %d, at %v: %v, want none kept and one without anything at the server", retries, after, got)
		}
	}
}

// mustRun plays a scenario with timers that fire on the instant.
func mustRun(t *testing.T, s scenario.Scenario) scenario.Outcome {
	t.Helper()
	o, err := Run(s, scenario.Calibration{SYNQueueExtra: 1, LinearSYNTimeouts: 4})
	if err != nil {
		t.Fatal(err)
	}
	return o
}
