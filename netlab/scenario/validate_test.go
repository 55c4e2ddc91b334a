package scenario

import (
	"fmt"
	"math"
	"testing"
	"time"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		edit func(*Scenario)
		want string
	}{
		{"everything set", func(s *Scenario) {}, "<nil>"},
		{"smallest", func(s *Scenario) {
			*s = Scenario{Arrivals: Arrivals{{Clients: 1}}, Backlog: -1, Accept: Accept{Mode: AcceptNever}}
		}, "<nil>"},
		{"largest numbers", func(s *Scenario) {
			s.Arrivals, s.Backlog, s.Somaxconn = Arrivals{{Clients: MaxClients}}, math.MaxInt32, math.MaxInt32
			s.MaxSYNBacklog, s.SYNACKRetries = math.MaxInt32, math.MaxUint8
		}, "<nil>"},
		{"rtt of a second without horizon", func(s *Scenario) { s.RTT, s.Horizon = time.Second, 0 }, "<nil>"},
		{"horizon when all have settled", func(s *Scenario) { s.Horizon = 700 * ms }, "<nil>"},
		{"listen twice at once", func(s *Scenario) { s.ListenAgain[1].At = s.ListenAgain[0].At }, "<nil>"},

		{"bad wave", func(s *Scenario) { s.Arrivals[1].Clients = 0 }, "arrivals: wave 1: clients is 0, want at least 1"},
		{"no wave", func(s *Scenario) { s.Arrivals = nil }, "number of clients in arrivals is 0, want 1 to 100000000"},
		{"too many clients", func(s *Scenario) { s.Arrivals[0].Clients = MaxClients }, "number of clients in arrivals is 100000800, want 1 to 100000000"},
		{"more clients than an int can count", func(s *Scenario) { s.Arrivals = Arrivals{{Clients: math.MaxInt}, {Clients: math.MaxInt}, {Clients: 3}} },
			"number of clients in arrivals is 9223372036854775807, want 1 to 100000000"},
		{"a wave of centuries", func(s *Scenario) { s.Arrivals[1].Gap = MaxTime }, "arrivals: wave 1: its last client is due after more than 8760h0m0s, want less"},
		{"a wave in a year", func(s *Scenario) { s.Arrivals[1].At = MaxTime + 1 }, "arrivals: wave 1: its last client is due after more than 8760h0m0s, want less"},
		{"rtt of more than a year", func(s *Scenario) { s.RTT = MaxTime + 1 }, "rtt is 8760h0m0.000000001s, want at most 8760h0m0s"},
		{"write after more than a year", func(s *Scenario) { s.Write = new(MaxTime + 1) }, "write is 8760h0m0.000000001s, want at most 8760h0m0s"},
		{"centuries of accepts", func(s *Scenario) { s.Accept = Accept{Mode: AcceptEvery, Every: MaxTime} },
			"accept.every is 8760h0m0s, and with 864 clients that takes more than 8760h0m0s, want less"},
		{"backlog below -1", func(s *Scenario) { s.Backlog = -2 }, "backlog is -2, want -1 to 2147483647"},
		{"backlog too large", func(s *Scenario) { s.Backlog = 1 << 31 }, "backlog is 2147483648, want -1 to 2147483647"},
		{"negative somaxconn", func(s *Scenario) { s.Somaxconn = -1 }, "somaxconn is -1, want 0 to 2147483647"},
		{"somaxconn too large", func(s *Scenario) { s.Somaxconn = 1 << 31 }, "somaxconn is 2147483648, want 0 to 2147483647"},
		{"negative syncookies", func(s *Scenario) { s.SYNCookies = -1 }, "syncookies is -1, want 0 to 2"},
		{"syncookies too large", func(s *Scenario) { s.SYNCookies = 3 }, "syncookies is 3, want 0 to 2"},
		{"negative max_syn_backlog", func(s *Scenario) { s.MaxSYNBacklog = -1 }, "max_syn_backlog is -1, want 0 to 2147483647"},
		{"max_syn_backlog too large", func(s *Scenario) { s.MaxSYNBacklog = 1 << 31 }, "max_syn_backlog is 2147483648, want 0 to 2147483647"},
		{"negative synack_retries", func(s *Scenario) { s.SYNACKRetries = -1 }, "synack_retries is -1, want 0 to 255"},
		{"synack_retries too large", func(s *Scenario) { s.SYNACKRetries = 256 }, "synack_retries is 256, want 0 to 255"},

		{"negative rtt", func(s *Scenario) { s.RTT = -1 }, "rtt is -1ns, want zero or more"},
		{"negative write", func(s *Scenario) { s.Write = new(-time.Second) }, "write is -1s, want never, zero or more"},
		{"negative horizon", func(s *Scenario) { s.Horizon = -time.Second }, "horizon is -1s, want zero (no kernel timers) or more"},
		{"rtt of a second with horizon", func(s *Scenario) { s.RTT = time.Second },
			"rtt is 1s with a horizon, want less than 1s, after which a client repeats its SYN"},
		{"horizon before all have settled", func(s *Scenario) { s.Horizon = 700*ms - 1 },
			"horizon is 699.999999ms, want at least 700ms, which is the last arrival and two round trips"},

		{"bad accept", func(s *Scenario) { s.Accept.Mode = "" }, `accept.mode is "", want one of never, now, every, from, paused`},

		{"negative close_listener", func(s *Scenario) { s.CloseListener = new(-ms) }, "close_listener is -1ms, want zero or more"},
		{"negative syncookies_off", func(s *Scenario) { s.SYNCookiesOff = new(-ms) }, "syncookies_off is -1ms, want zero or more"},
		{"negative listen_again", func(s *Scenario) { s.ListenAgain[0].At = -1 },
			"listen_again[0].at is -1ns, want 0s or later: in the order of their times"},
		{"listen_again out of order", func(s *Scenario) { s.ListenAgain[1].At = 999 * ms },
			"listen_again[1].at is 999ms, want 1s or later: in the order of their times"},
		{"listen_again with a backlog below -1", func(s *Scenario) { s.ListenAgain[1].Backlog = -2 }, "listen_again[1].backlog is -2, want -1 to 2147483647"},
		{"listen_again with a backlog too large", func(s *Scenario) { s.ListenAgain[1].Backlog = 1 << 31 },
			"listen_again[1].backlog is 2147483648, want -1 to 2147483647"},
		{"listen_again when closed", func(s *Scenario) { s.ListenAgain[1].At = 2 * time.Second },
			"listen_again[1].at is 2s, want it before close_listener, which is 2s"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := everything()
			test.edit(&s)
			if got := fmt.Sprint(s.Validate()); got != test.want {
				t.Errorf("Validate() = %s, want %s", got, test.want)
			}
		})
	}
}

func TestVariedAreValid(t *testing.T) {
	t.Parallel()
	for name, s := range varied() {
		if err := s.Validate(); err != nil {
			t.Errorf("%s: Validate() = %v", name, err)
		}
	}
}

func TestValidateAccept(t *testing.T) {
	t.Parallel()
	paused := func(windows ...Window) Accept { return Accept{Mode: AcceptPaused, Paused: windows} }
	for _, test := range []struct {
		name   string
		accept Accept
		want   string
	}{
		{"never", Accept{Mode: AcceptNever}, "<nil>"},
		{"now", Accept{Mode: AcceptNow}, "<nil>"},
		{"every", Accept{Mode: AcceptEvery, Every: 1}, "<nil>"},
		{"from the start", Accept{Mode: AcceptFrom}, "<nil>"},
		{"paused twice in a row", paused(Window{0, ms}, Window{ms, 2 * ms}), "<nil>"},

		{"no mode", Accept{}, `accept.mode is "", want one of never, now, every, from, paused`},
		{"unknown mode", Accept{Mode: "Now"}, `accept.mode is "Now", want one of never, now, every, from, paused`},
		{"every without every", Accept{Mode: AcceptEvery}, "accept.every is 0s, want more than zero with mode every"},
		{"negative every", Accept{Mode: AcceptEvery, Every: -ms}, "accept.every is -1ms, want more than zero with mode every"},
		{"every with another mode", Accept{Mode: AcceptNow, Every: ms}, "accept.every is 1ms with mode now, want it only with mode every"},
		{"from with another mode", Accept{Mode: AcceptNever, From: ms}, "accept.from is 1ms with mode never, want it only with mode from"},
		{"negative from", Accept{Mode: AcceptFrom, From: -ms}, "accept.from is -1ms, want zero or more"},
		{"paused without window", paused(), "accept.paused has no window, want at least one with mode paused"},
		{"window with another mode", Accept{Mode: AcceptFrom, Paused: make([]Window, 2)},
			"accept.paused has 2 windows with mode from, want them only with mode paused"},
		{"window before the start", paused(Window{-ms, ms}),
			"accept.paused[0] is from -1ms to 1ms, want it to begin at 0s or later and to end after it began"},
		{"empty window", paused(Window{0, ms}, Window{2 * ms, 2 * ms}),
			"accept.paused[1] is from 2ms to 2ms, want it to begin at 1ms or later and to end after it began"},
		{"windows that overlap", paused(Window{0, 2 * ms}, Window{ms, 3 * ms}),
			"accept.paused[1] is from 1ms to 3ms, want it to begin at 2ms or later and to end after it began"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := everything()
			s.Accept = test.accept
			if got := fmt.Sprint(s.Validate()); got != test.want {
				t.Errorf("Validate() with accept %+v = %s, want %s", test.accept, got, test.want)
			}
		})
	}
}
