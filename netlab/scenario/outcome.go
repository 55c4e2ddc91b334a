package scenario

import (
	"errors"
	"fmt"
)

// Outcome is what a scenario came to: each client's fate, and what every counter
// that a full queue can move has moved by, at both ends. Engines are compared by it.
type Outcome struct {
	Fates    Fates  `json:"fates"` // holds all of OutcomeFates, also those without a client
	ByClient []Fate `json:"-"`     // in the order of the clients' numbers

	Server Counters `json:"server"` // of OutcomeCounters, those that moved
	Client Counters `json:"client"`

	// Drops is what the listening socket dropped (SO_MEMINFO, sk_drops): one a SYN or
	// the ACK of a SYN cookie, two an ACK of the SYN queue. A listener that was closed
	// takes its number with it, so it is read just before.
	Drops uint64 `json:"listener_drops"`
}

// CountFates counts the fates of the clients, those that no client has as zero.
func CountFates(clients []Fate) Fates {
	var counts [len(fateNames)]int
	for _, f := range clients {
		counts[f]++
	}
	fates := Fates{}
	for _, f := range OutcomeFates() {
		fates[f] = 0
	}
	for f, n := range counts {
		if n != 0 {
			fates[Fate(f)] = n
		}
	}
	return fates
}

// OutcomeCounters names the counters of an Outcome, the same at both ends: all that
// a full accept queue or SYN queue can move and all that it is known never to move.
func OutcomeCounters() []string {
	return append(OverflowCounters(), "ActiveOpens", "PassiveOpens", "RetransSegs", "TCPAbortFailed", "TCPRetransFail")
}

// Check proves that an outcome of s adds up: the fates to the clients, and the
// counters to one another and to the fates, by the rules that hold in every
// scenario. It names every rule that is broken, so an engine that miscounts does not
// get its answer out of the door.
func (o Outcome) Check(s Scenario) error {
	var errs []error
	rule := func(holds bool, format string, args ...any) {
		if !holds {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	o.checkFates(s, rule)
	o.checkServer(s, rule)
	o.checkClient(s, rule)
	return errors.Join(errs...)
}

type ruleFunc = func(holds bool, format string, args ...any)

func (o Outcome) checkFates(s Scenario, rule ruleFunc) {
	n := s.Arrivals.Clients()
	rule(len(o.ByClient) == n, "%d clients have a fate, want %d", len(o.ByClient), n)
	rule(o.Fates.Total() == n, "the fates add up to %d clients, want %d", o.Fates.Total(), n)
	counted := CountFates(o.ByClient)
	known := 0
	for _, f := range OutcomeFates() {
		rule(o.Fates[f] == counted[f], "fate %v counts %d clients, and %d have it", f, o.Fates[f], counted[f])
		known += counted[f]
	}
	rule(known == len(o.ByClient), "%d clients have a fate that no outcome has: %v", len(o.ByClient)-known, counted)
	rule(s.CloseListener != nil || o.Fates[Refused] == 0, "%d clients are refused, and the listener was not closed", o.Fates[Refused])
}

func (o Outcome) checkServer(s Scenario, rule ruleFunc) {
	c := o.Server
	overflows, embryonic, closed := c["ListenOverflows"], c["EmbryonicRsts"], c["EstabResets"]
	rule(c["ListenDrops"] >= overflows+c["TCPReqQFullDrop"],
		"ListenDrops %d is less than ListenOverflows %d + TCPReqQFullDrop %d", c["ListenDrops"], overflows, c["TCPReqQFullDrop"])
	rule(s.SYNCookies == 0 || s.SYNCookiesOff != nil || c["ListenDrops"] == overflows,
		"ListenDrops %d is not ListenOverflows %d, and nothing but a full accept queue drops with SYN cookies on", c["ListenDrops"], overflows)
	rule(s.AbortOnOverflow || embryonic == 0, "EmbryonicRsts is %d with tcp_abort_on_overflow off, want 0", embryonic)
	rule(!s.AbortOnOverflow || o.Drops == c["ListenDrops"]+embryonic,
		"the listener's drops %d are not ListenDrops %d + EmbryonicRsts %d", o.Drops, c["ListenDrops"], embryonic)
	rule(embryonic <= overflows, "EmbryonicRsts %d is more than ListenOverflows %d", embryonic, overflows)
	rule(c["OutRsts"] >= embryonic+closed, "OutRsts %d is less than EmbryonicRsts %d + EstabResets %d", c["OutRsts"], embryonic, closed)
	rule(c["PassiveOpens"] == uint64(o.Fates[Served]+o.Fates[Queued])+closed,
		"PassiveOpens %d is not served %d + queued %d + EstabResets %d", c["PassiveOpens"], o.Fates[Served], o.Fates[Queued], closed)
	rule(s.SYNCookies != 0 || c["SyncookiesSent"]+c["SyncookiesRecv"]+c["SyncookiesFailed"]+c["TCPReqQFullDoCookies"] == 0,
		"SYN cookies are counted with tcp_syncookies 0: %v", c)
	rule(c["SyncookiesSent"] <= c["TCPReqQFullDoCookies"], "SyncookiesSent %d is more than TCPReqQFullDoCookies %d",
		c["SyncookiesSent"], c["TCPReqQFullDoCookies"])
}

func (o Outcome) checkClient(s Scenario, rule ruleFunc) {
	c := o.Client
	rule(c["ActiveOpens"] == uint64(s.Arrivals.Clients()), "ActiveOpens at the client is %d, want %d", c["ActiveOpens"], s.Arrivals.Clients())
	rule(c["EstabResets"] == uint64(o.Fates[Reset]), "EstabResets at the client %d are not the %d clients that were reset",
		c["EstabResets"], o.Fates[Reset])
	rule(s.Horizon > 0 || c["AttemptFails"] == uint64(o.Fates[Refused]), "AttemptFails at the client %d are not the %d clients that were refused",
		c["AttemptFails"], o.Fates[Refused])
	rule(uint64(o.Fates[Reset]) <= o.Server["OutRsts"], "%d clients are reset by %d RSTs", o.Fates[Reset], o.Server["OutRsts"])
	rule(c["OutRsts"] == 0, "OutRsts at the client is %d, want 0", c["OutRsts"])
	rule(s.Horizon > 0 || c["TCPTimeouts"]+o.Server["TCPTimeouts"] == 0,
		"the kernel's timers fired %d times at the client and %d times at the server, and the run has no horizon: it took too long in real time",
		c["TCPTimeouts"], o.Server["TCPTimeouts"])
}
