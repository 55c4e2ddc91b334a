package diagnose

import (
	"maps"
	"net/netip"
	"testing"

	"github.com/rstlab/rstlab/netlab/scenario"
)

func TestBooks(t *testing.T) {
	for _, c := range []struct {
		name, say string
		moved     scenario.Counters
		want      map[string]int64 // what is left over
	}{
		{"balanced", ">S <S. >. <R", scenario.Counters{"EmbryonicRsts": 1, "OutRsts": 1, "ListenOverflows": 1, "ListenDrops": 1},
			map[string]int64{"EmbryonicRsts": 0, "OutRsts": 0, "ListenOverflows": 0, "ListenDrops": 0}},
		{"an ACK and data, one after the other", ">S <S. >. >P. <R <R", scenario.Counters{"EmbryonicRsts": 1, "OutRsts": 2, "ListenOverflows": 1, "ListenDrops": 1},
			map[string]int64{"EmbryonicRsts": 0, "OutRsts": 0, "ListenOverflows": 0, "ListenDrops": 0}},
		{"an ACK and data, on two CPUs at once", ">S <S. >. >P. <R <R <R", scenario.Counters{"EmbryonicRsts": 1, "OutRsts": 3, "ListenOverflows": 2, "ListenDrops": 2},
			map[string]int64{"EmbryonicRsts": 0, "OutRsts": 0, "ListenOverflows": 0, "ListenDrops": 0}},
		{"more than was captured", ">S <S. >. <R", scenario.Counters{"EmbryonicRsts": 5, "OutRsts": 7, "ListenOverflows": 9, "ListenDrops": 9},
			map[string]int64{"EmbryonicRsts": 4, "OutRsts": 6, "ListenOverflows": 8, "ListenDrops": 8}},
		{"a counter of nobody's", ">S <S. >. >P. <.", scenario.Counters{"TCPReqQFullDrop": 3, "TCPAbortOnData": 2},
			map[string]int64{"TCPReqQFullDrop": 3}},
		{"a firewall's RST is not the kernel's", ">S <R.", scenario.Counters{}, map[string]int64{}},
		{"a SYN-ACK was lost, and no SYN", ">S <S. (1s) >S <S. >. >P. <.", scenario.Counters{}, map[string]int64{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Run(newTalk().say(c.say).atServer(c.moved))
			got := map[string]int64{}
			for _, e := range r.Summary.Books {
				got[e.Counter] = e.Unexplained
				if e.Moved != c.moved[e.Counter] || e.Host != "server" {
					t.Errorf("the entry is %+v, want that %s moved by %d", e, e.Counter, c.moved[e.Counter])
				}
			}
			if !maps.Equal(got, c.want) {
				t.Errorf("unexplained are %v, want %v: %+v", got, c.want, r.Summary.Books)
			}
			if balanced := r.Balanced(); balanced != allZero(c.want) {
				t.Errorf("Balanced() = %v with %v", balanced, c.want)
			}
		})
	}
}

func allZero(left map[string]int64) bool {
	for _, n := range left {
		if n != 0 {
			return false
		}
	}
	return true
}

// A remainder is not given to a cause that has no flow.
func TestBooksWithoutACapture(t *testing.T) {
	k := newTalk()
	e := k.atServer(scenario.Counters{"OutRsts": 4})
	r := Run(e)
	if len(r.Flows) != 0 || len(r.Summary.Causes) != 0 || len(r.Summary.Books) != 1 {
		t.Fatalf("the report is %+v, want one entry in the books", r)
	}
	if entry := r.Summary.Books[0]; entry.Unexplained != 4 || len(entry.Explained) != 0 {
		t.Errorf("the entry is %+v, want 4 unexplained", entry)
	}
}

// Counters that nobody's address belongs to explain nothing, and are not explained.
func TestBooksOfAStranger(t *testing.T) {
	e := newTalk().say(">S <R.").atServer(scenario.Counters{"OutRsts": 1})
	e.Hosts[0].Addrs = []netip.Addr{netip.MustParseAddr("192.0.2.1")}
	r := Run(e)
	if f := only(t, r); f.Grade == Certain || len(r.Summary.Books) != 1 || r.Summary.Books[0].Unexplained != 1 {
		t.Errorf("the flow is %s (%s), the books are %+v, want an unexplained RST", f.Cause, f.Grade, r.Summary.Books)
	}
}
