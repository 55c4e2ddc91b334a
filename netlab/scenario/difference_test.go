package scenario

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestDifferences(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		edit func(*Scenario, *Outcome)
		want []Difference
	}{
		{"equal", func(*Scenario, *Outcome) {}, nil},
		{"zero and absent are the same", func(_ *Scenario, o *Outcome) {
			delete(o.Fates, Kept)
			o.Server["TCPTimeouts"], o.Client["TCPTimeouts"] = 0, 0
		}, nil},
		{"counter of no outcome", func(_ *Scenario, o *Outcome) { o.Server["InSegs"] = 7 }, nil},

		{"fate", func(_ *Scenario, o *Outcome) { o.Fates[Ghost] = 1 }, []Difference{{"fate ghost", "2", "1"}}},
		{"fates that no outcome has", func(_ *Scenario, o *Outcome) { o.Fates[Failed], o.Fates[Undecided] = 2, 1 },
			[]Difference{{"fate undecided", "0", "1"}, {"fate failed", "0", "2"}}},
		{"counter of the server", func(_ *Scenario, o *Outcome) { o.Server["ListenDrops"] = 4 }, []Difference{{"server ListenDrops", "3", "4"}}},
		{"counter of the client", func(_ *Scenario, o *Outcome) { o.Client["RetransSegs"] = 4 }, []Difference{{"client RetransSegs", "0", "4"}}},
		{"drops", func(_ *Scenario, o *Outcome) { o.Drops = 5 }, []Difference{{"listener_drops", "4", "5"}}},
		{"client missing", func(_ *Scenario, o *Outcome) { o.ByClient = o.ByClient[:4] }, []Difference{{"number of clients", "5", "4"}}},
		{"client missing with horizon", func(s *Scenario, o *Outcome) { s.Horizon, o.ByClient = time.Second, o.ByClient[:4] },
			[]Difference{{"number of clients", "5", "4"}}},
		{"clients", func(_ *Scenario, o *Outcome) { o.ByClient[2], o.ByClient[3] = Ghost, Reset },
			[]Difference{{"client 2", "reset", "ghost"}, {"client 3", "ghost", "reset"}}},
		{"clients with horizon", func(s *Scenario, o *Outcome) { s.Horizon, o.ByClient[2], o.ByClient[3] = time.Second, Ghost, Reset }, nil},

		{"in order", func(_ *Scenario, o *Outcome) {
			o.Fates = Fates{Served: 2, Refused: 3}
			o.Server["OutRsts"], o.Server["PassiveOpens"], o.Client["OutRsts"], o.Drops, o.ByClient[0] = 8, 9, 7, 6, Served
		}, []Difference{
			{"fate served", "0", "2"}, {"fate queued", "2", "0"}, {"fate ghost", "2", "0"}, {"fate reset", "1", "0"}, {"fate refused", "0", "3"},
			{"server OutRsts", "1", "8"}, {"server PassiveOpens", "2", "9"}, {"client OutRsts", "0", "7"},
			{"listener_drops", "4", "6"}, {"client 0", "queued", "served"},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, a := overflow()
			_, b := overflow()
			test.edit(&s, &b)
			if got := Differences(s, a, b); !slices.Equal(got, test.want) || (got == nil) != (test.want == nil) {
				t.Errorf("Differences() =\n%swant\n%s", DifferenceTable("a", "b", got), DifferenceTable("a", "b", test.want))
			}
		})
	}
}

// Of many clients only the first few are named, also where one side has more of them.
func TestDifferencesNamesFiveClients(t *testing.T) {
	t.Parallel()
	a := Outcome{ByClient: []Fate{Queued, Reset, Reset, Reset, Reset, Reset, Reset}}
	b := Outcome{ByClient: []Fate{Queued, Ghost, Ghost, Ghost, Ghost, Ghost, Ghost, Ghost}}
	want := []Difference{{"number of clients", "7", "8"}}
	for client := 1; client <= 5; client++ {
		want = append(want, Difference{fmt.Sprint("client ", client), "reset", "ghost"})
	}
	if got := Differences(Defaults(), a, b); !slices.Equal(got, want) {
		t.Errorf("Differences() = %v, want %v", got, want)
	}
}

func TestDifferenceTable(t *testing.T) {
	t.Parallel()
	got := DifferenceTable("predict", "virtual", []Difference{{"fate reset", "64", "63"}, {"server ListenOverflows", "99", "100"}})
	const want = `field                   predict  virtual
fate reset              64       63
server ListenOverflows  99       100
`
	if got != want {
		t.Errorf("DifferenceTable() =\n%swant\n%s", got, want)
	}
}
