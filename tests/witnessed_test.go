package tests

import (
	"flag"
	"testing"

	"github.com/rstlab/rstlab/netlab/witness"
)

var witnessed = flag.Int("witnessed", 10, "play every so many-th scenario of the grid with every witness on")

// TestExactWitnessed plays a tenth of the grid with every witness on. Recording must not
// change what it records.
func TestExactWitnessed(t *testing.T) {
	st := newVirtual(t)
	st.wire.Record()
	recording := witness.Record(t, witness.Config{Trace: witness.TraceAvailable() == nil}, st.wire.Client, st.wire.Server)
	played := 0
	for i, s := range grid() {
		if i%*witnessed != 0 {
			continue
		}
		played++
		if err := st.compare(s); err != nil {
			t.Errorf("%v\n%v", s, err)
		}
	}
	e := recording.Stop()
	for _, h := range e.Hosts {
		if len(h.Packets) == 0 || len(h.Counters) < 2 {
			t.Errorf("host %s: %d packets and %d samples of the counters were recorded", h.Host, len(h.Packets), len(h.Counters))
		}
	}
	t.Logf("witnessed: %d scenarios equal with every witness on", played)
}
