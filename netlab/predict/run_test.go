package predict

import (
	"fmt"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// twoWaves is a queue filled by the first wave and met by the second while nobody
// accepts.
func twoWaves(first, second, backlog, cookies int, abort bool) scenario.Scenario {
	s := scenario.Defaults()
	if first > 0 {
		s.Arrivals = append(s.Arrivals, scenario.Wave{Clients: first})
	}
	s.Arrivals = append(s.Arrivals, scenario.Wave{Clients: second, At: 500 * time.Millisecond})
	s.RTT, s.Backlog, s.SYNCookies, s.AbortOnOverflow = 100*time.Millisecond, backlog, cookies, abort
	s.Accept.Mode = scenario.AcceptNever
	return s
}

// The table was measured on Linux 6.18: a queue of each size, met by two waves.
func TestTwoWavesAsMeasured(t *testing.T) {
	for _, c := range []struct {
		first, second, backlog, cookies int
		abort                           bool
		queued, reset, kept, ghost, syn int
		lo, ld, qd, qc                  uint64
	}{
		{0, 400, 0, 0, true, 1, 0, 0, 0, 399, 0, 399, 399, 0},
		{1, 400, 1, 0, true, 2, 1, 0, 0, 398, 1, 399, 398, 0},
		{16, 400, 16, 0, true, 17, 16, 0, 0, 383, 16, 399, 383, 0},
		{17, 400, 16, 0, true, 17, 0, 0, 0, 400, 400, 400, 0, 0},
		{128, 800, 128, 0, true, 129, 128, 0, 0, 671, 128, 799, 671, 0},
		{400, 400, 400, 0, true, 401, 399, 0, 0, 0, 399, 399, 0, 0},
		{64, 800, 64, 1, false, 65, 0, 64, 735, 0, 799, 799, 0, 735},
		{64, 800, 64, 1, true, 65, 64, 0, 735, 0, 799, 799, 0, 735},
	} {
		t.Run(fmt.Sprintf("%d+%d,backlog=%d,abort=%v,cookies=%d", c.first, c.second, c.backlog, c.abort, c.cookies), func(t *testing.T) {
			o, err := Run(twoWaves(c.first, c.second, c.backlog, c.cookies, c.abort), scenario.Modern)
			if err != nil {
				t.Fatal(err)
			}
			want := scenario.Fates{scenario.Queued: c.queued, scenario.Reset: c.reset, scenario.Kept: c.kept, scenario.Ghost: c.ghost, scenario.SYNDropped: c.syn}
			if o.Fates.String() != want.String() {
				t.Errorf("fates are %v, want %v", o.Fates, want)
			}
			got := [...]uint64{o.Server["ListenOverflows"], o.Server["ListenDrops"], o.Server["TCPReqQFullDrop"], o.Server["TCPReqQFullDoCookies"]}
			if got != [...]uint64{c.lo, c.ld, c.qd, c.qc} {
				t.Errorf("ListenOverflows, ListenDrops, TCPReqQFullDrop, TCPReqQFullDoCookies are %v, want %v", got, [...]uint64{c.lo, c.ld, c.qd, c.qc})
			}
		})
	}
}
