package loadclient

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/rstlab/rstlab/netlab/scenario"
)

func TestConfirm(t *testing.T) {
	t.Parallel()
	address := func(i int) netip.AddrPort { return netip.MustParseAddrPort(fmt.Sprintf("198.18.0.1:%d", 40000+i)) }
	for _, test := range []struct {
		name     string
		fates    []scenario.Fate
		accepted []int
		counters scenario.Counters
		want     Confirmation
		err      string
	}{
		{"story", []scenario.Fate{scenario.Served, scenario.Reset, scenario.Reset, scenario.SYNDropped}, []int{0}, scenario.Counters{"EmbryonicRsts": 2},
			Confirmation{Overflowed: 2}, ""},
		{"resets by the program", []scenario.Fate{scenario.Reset, scenario.Reset}, []int{1}, scenario.Counters{"EmbryonicRsts": 1},
			Confirmation{Overflowed: 1, ByProgram: 1}, ""},
		{"queued", []scenario.Fate{scenario.Queued, scenario.Queued, scenario.Queued}, []int{2}, nil, Confirmation{Unanswered: 1, Waiting: 2}, ""},
		{"resets after the request are no matter of the handshake", []scenario.Fate{scenario.ResetAfterRequest, scenario.ResetAfterRequest}, []int{1},
			scenario.Counters{}, Confirmation{}, ""},
		{"served by nobody", []scenario.Fate{scenario.Served}, nil, nil, Confirmation{}, "client 0 from 198.18.0.1:40000 is served, and the server did not accept it"},
		{"a ghost that was accepted", []scenario.Fate{scenario.GhostOrKept}, []int{0}, nil, Confirmation{},
			"client 0 from 198.18.0.1:40000 is ghost_or_kept, and the server accepted it"},
		{"counter", []scenario.Fate{scenario.Reset}, nil, scenario.Counters{}, Confirmation{Overflowed: 1},
			"EmbryonicRsts at the server moved by 0, and 1 clients were reset that it did not accept"},
	} {
		var r Result
		for i, fate := range test.fates {
			r.Clients = append(r.Clients, Client{Number: i, Fate: fate, Local: address(i)})
		}
		accepted := map[netip.AddrPort]bool{}
		for _, i := range test.accepted {
			accepted[address(i)] = true
		}
		got, err := Confirm(r, accepted, test.counters)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if got != test.want || text != test.err {
			t.Errorf("%s: Confirm() = %+v, %q, want %+v, %q", test.name, got, text, test.want, test.err)
		}
	}
}
