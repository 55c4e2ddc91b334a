package scenario

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"
)

// overflow is a scenario with a right outcome, to be broken: one client fills a queue
// with a backlog of 1 halfway, and of the four behind it two get a SYN cookie.
func overflow() (Scenario, Outcome) {
	s := Defaults()
	s.Arrivals, s.RTT = Arrivals{{Clients: 1}, {Clients: 4, At: 500 * ms}}, 100*ms
	s.Backlog, s.AbortOnOverflow, s.Accept.Mode = 1, true, AcceptNever
	clients := []Fate{Queued, Queued, Reset, Ghost, Ghost}
	return s, Outcome{
		Fates: CountFates(clients), ByClient: clients,
		Server: Counters{
			"EmbryonicRsts": 1, "ListenDrops": 3, "ListenOverflows": 3, "OutRsts": 1, "PassiveOpens": 2,
			"SyncookiesRecv": 2, "SyncookiesSent": 2, "TCPReqQFullDoCookies": 2,
		},
		Client: Counters{"ActiveOpens": 5, "EstabResets": 1},
		Drops:  4,
	}
}

func TestCountFates(t *testing.T) {
	t.Parallel()
	none := Fates{Served: 0, Queued: 0, Reset: 0, Kept: 0, Ghost: 0, SYNDropped: 0, Refused: 0}
	if got := CountFates(nil); !maps.Equal(got, none) {
		t.Errorf("CountFates(nil) = %#v, want %#v", got, none)
	}
	// A fate that no outcome has is counted too, for Check to find.
	want := maps.Clone(none)
	want[Ghost], want[Reset], want[Undecided], want[Failed] = 2, 1, 1, 1
	if got := CountFates([]Fate{Ghost, Failed, Reset, Ghost, Undecided}); !maps.Equal(got, want) {
		t.Errorf("CountFates() = %#v, want %#v", got, want)
	}
}

func TestOutcomeCounters(t *testing.T) {
	t.Parallel()
	got := OutcomeCounters()
	if n := len(slices.Compact(slices.Sorted(slices.Values(got)))); n != len(got) {
		t.Errorf("OutcomeCounters() = %q, which has a counter twice", got)
	}
	_, o := overflow()
	for _, counters := range []Counters{o.Server, o.Client} {
		if kept := counters.Only(got...); !maps.Equal(kept, counters) {
			t.Errorf("OutcomeCounters() = %q, which of %v knows only %v", got, counters, kept)
		}
	}
}

// A right outcome in each setting that frees it from a rule.
func TestCheckPasses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		edit func(*Scenario, *Outcome)
	}{
		{"overflow", func(*Scenario, *Outcome) {}},
		{"abort off", func(s *Scenario, o *Outcome) {
			s.AbortOnOverflow, o.Drops = false, 4
			edit(o, 2, Kept, map[string]uint64{"EmbryonicRsts": 0, "OutRsts": 0})
			o.Client["EstabResets"] = 0
		}},
		{"closed", func(s *Scenario, o *Outcome) {
			s.CloseListener = new(time.Second)
			edit(o, 0, Reset, map[string]uint64{"OutRsts": 2, "EstabResets": 1})
			o.Client["EstabResets"] = 2
			edit(o, 4, Refused, nil)
			o.Client["AttemptFails"] = 1
		}},
		{"cookies off", func(s *Scenario, o *Outcome) {
			s.SYNCookies = 0
			edit(o, 3, SYNDropped, nil)
			edit(o, 4, SYNDropped, map[string]uint64{
				"ListenOverflows": 1, "TCPReqQFullDrop": 2, "TCPReqQFullDoCookies": 0, "SyncookiesSent": 0, "SyncookiesRecv": 0,
			})
		}},
		{"cookies switched off on the way", func(s *Scenario, o *Outcome) {
			s.SYNCookiesOff = new(time.Second)
			edit(o, 4, SYNDropped, map[string]uint64{"ListenDrops": 3, "ListenOverflows": 2, "TCPReqQFullDrop": 1})
		}},
		{"horizon", func(s *Scenario, o *Outcome) {
			s.Horizon = 10 * time.Second
			o.Client["TCPTimeouts"], o.Server["TCPTimeouts"], o.Client["AttemptFails"] = 3, 4, 5
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, o := overflow()
			test.edit(&s, &o)
			if err := o.Check(s); err != nil {
				t.Errorf("Check() = %v", err)
			}
		})
	}
}

// edit gives a client another fate, and the server other counters.
func edit(o *Outcome, client int, fate Fate, server map[string]uint64) {
	o.ByClient[client] = fate
	o.Fates = CountFates(o.ByClient)
	maps.Copy(o.Server, server)
}

func TestCheckFates(t *testing.T) {
	t.Parallel()
	checkRows(t, []checkRow{
		{"client missing", func(_ *Scenario, o *Outcome) {
			o.ByClient = o.ByClient[:4]
			o.Fates = CountFates(o.ByClient)
		}, "4 clients have a fate, want 5\nthe fates add up to 4 clients, want 5"},
		{"fate counted once too often", func(_ *Scenario, o *Outcome) { o.Fates[Ghost]++ },
			"the fates add up to 6 clients, want 5\nfate ghost counts 3 clients, and 2 have it"},
		{"fates swapped", func(_ *Scenario, o *Outcome) { o.Fates[Kept], o.Fates[Ghost] = 2, 0 },
			"fate kept counts 2 clients, and 0 have it\nfate ghost counts 0 clients, and 2 have it"},
		{"undecided", func(_ *Scenario, o *Outcome) { edit(o, 3, Undecided, nil) },
			"1 clients have a fate that no outcome has: undecided 1, queued 2, ghost 1, reset 1"},
		{"refused while it listens", func(_ *Scenario, o *Outcome) {
			edit(o, 4, Refused, nil)
			o.Client["AttemptFails"] = 1
		}, "1 clients are refused, and the listener was not closed"},
	})
}

func TestCheckServer(t *testing.T) {
	t.Parallel()
	checkRows(t, []checkRow{
		{"drops fewer than their causes", func(s *Scenario, o *Outcome) { s.SYNCookiesOff, o.Server["TCPReqQFullDrop"] = new(time.Second), 1 },
			"ListenDrops 3 is less than ListenOverflows 3 + TCPReqQFullDrop 1"},
		{"drop with cookies on", func(_ *Scenario, o *Outcome) { o.Server["ListenDrops"], o.Drops = 4, 5 },
			"ListenDrops 4 is not ListenOverflows 3, and nothing but a full accept queue drops with SYN cookies on"},
		{"abort with abort off", func(s *Scenario, _ *Outcome) { s.AbortOnOverflow = false },
			"EmbryonicRsts is 1 with tcp_abort_on_overflow off, want 0"},
		{"drops of the listener", func(_ *Scenario, o *Outcome) { o.Drops = 3 },
			"the listener's drops 3 are not ListenDrops 3 + EmbryonicRsts 1"},
		{"more aborts than overflows", func(_ *Scenario, o *Outcome) { o.Server["EmbryonicRsts"], o.Server["OutRsts"], o.Drops = 4, 4, 7 },
			"EmbryonicRsts 4 is more than ListenOverflows 3"},
		{"abort without RST", func(_ *Scenario, o *Outcome) { o.Server["EmbryonicRsts"], o.Drops = 2, 5 },
			"OutRsts 1 is less than EmbryonicRsts 2 + EstabResets 0"},
		{"reset without RST", func(_ *Scenario, o *Outcome) { o.Server["EstabResets"], o.Server["PassiveOpens"] = 1, 3 },
			"OutRsts 1 is less than EmbryonicRsts 1 + EstabResets 1"},
		{"opened without a client", func(_ *Scenario, o *Outcome) { o.Server["PassiveOpens"] = 3 },
			"PassiveOpens 3 is not served 0 + queued 2 + EstabResets 0"},
		{"opened and served", func(_ *Scenario, o *Outcome) { edit(o, 3, Served, nil) },
			"PassiveOpens 2 is not served 1 + queued 2 + EstabResets 0"},
		{"cookies with cookies off", func(s *Scenario, o *Outcome) { s.SYNCookies = 0 },
			"SYN cookies are counted with tcp_syncookies 0: EmbryonicRsts 1, ListenDrops 3, ListenOverflows 3, OutRsts 1, " +
				"PassiveOpens 2, SyncookiesRecv 2, SyncookiesSent 2, TCPReqQFullDoCookies 2"},
		{"one failed cookie with cookies off", func(s *Scenario, o *Outcome) {
			s.SYNCookies, o.Server["SyncookiesFailed"] = 0, 1
			maps.DeleteFunc(o.Server, func(name string, n uint64) bool { return n == 2 && name != "PassiveOpens" })
		}, "SYN cookies are counted with tcp_syncookies 0: EmbryonicRsts 1, ListenDrops 3, ListenOverflows 3, OutRsts 1, PassiveOpens 2, SyncookiesFailed 1"},
		{"cookie without a reason", func(_ *Scenario, o *Outcome) { o.Server["SyncookiesSent"] = 3 },
			"SyncookiesSent 3 is more than TCPReqQFullDoCookies 2"},
	})
}

func TestCheckClient(t *testing.T) {
	t.Parallel()
	const late = ", and the run has no horizon: it took too long in real time"
	checkRows(t, []checkRow{
		{"client that did not connect", func(_ *Scenario, o *Outcome) { o.Client["ActiveOpens"] = 4 },
			"ActiveOpens at the client is 4, want 5"},
		{"reset that the client did not count", func(_ *Scenario, o *Outcome) { o.Client["EstabResets"] = 0 },
			"EstabResets at the client 0 are not the 1 clients that were reset"},
		{"attempt that failed", func(_ *Scenario, o *Outcome) { o.Client["AttemptFails"] = 1 },
			"AttemptFails at the client 1 are not the 0 clients that were refused"},
		{"more resets than RSTs", func(_ *Scenario, o *Outcome) {
			edit(o, 3, Reset, nil)
			o.Client["EstabResets"] = 2
		}, "2 clients are reset by 1 RSTs"},
		{"RST of a client", func(_ *Scenario, o *Outcome) { o.Client["OutRsts"] = 1 }, "OutRsts at the client is 1, want 0"},
		{"timer of the client", func(_ *Scenario, o *Outcome) { o.Client["TCPTimeouts"] = 2 },
			"the kernel's timers fired 2 times at the client and 0 times at the server" + late},
		{"timer of the server", func(_ *Scenario, o *Outcome) { o.Server["TCPTimeouts"] = 3 },
			"the kernel's timers fired 0 times at the client and 3 times at the server" + late},
	})
}

// checkRow breaks a right outcome; want names every rule that is broken then, one a line.
type checkRow struct {
	name  string
	spoil func(*Scenario, *Outcome)
	want  string
}

func checkRows(t *testing.T, rows []checkRow) {
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s, o := overflow()
			row.spoil(&s, &o)
			if got := fmt.Sprint(o.Check(s)); got != row.want {
				t.Errorf("Check() = %s\nwant %s", got, row.want)
			}
		})
	}
}
