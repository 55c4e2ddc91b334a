package tests

import (
	"flag"
	"testing"

	"github.com/rstlab/rstlab/netlab"
)

var mostClients = flag.Int("most-clients", 2000, "leave out the story's rows of more clients")

// TestStory plays the story: 400, 800 and 2000 keep-alive clients start at once and
// some see "connection reset by peer", until one of three knobs is turned. Every
// row asserts the clients' fates, the counters of the kernels at both ends and the
// listeners' own drops together, and prints one line of the ledger.
func TestStory(t *testing.T) {
	netlab.New(t) // where no lab can be had, says so once
	var l ledger
	room := newSeats(t)
	t.Cleanup(func() { l.publish(t) }) // after the rows, which run in parallel
	for _, r := range rows() {
		t.Run(r.name(), func(t *testing.T) {
			if r.long && !*full {
				t.Skip("takes up to 40 s: run with -full, as in: go test ./tests -run TestStory -v -args -full")
			}
			if r.clients > *mostClients {
				t.Skipf("-most-clients leaves out the rows of more than %d clients, which take an emulated machine minutes", *mostClients)
			}
			t.Parallel()
			l.set(ledgerLine{row: r})
			room.take(t, r.clients)
			o := newStage(t, r).play(t)
			if err := o.check(); err != nil {
				t.Error(err)
			}
			l.set(ledgerLine{observation: o, row: r, played: true, failed: t.Failed()})
			o.saveOnFailure(t)
		})
	}
}
