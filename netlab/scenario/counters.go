package scenario

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Counters are kernel counters by the kernel's own names: those of TCP bare,
// such as ListenOverflows and OutRsts, the others with their protocol in front,
// such as IcmpOutDestUnreachs. A counter that is absent stands at zero.
type Counters map[string]uint64

// Since is what moved between before and c, without the counters that did not.
// A counter that is smaller than before (the kernel never lowers one) panics:
// the arguments are in the wrong order.
func (c Counters) Since(before Counters) Counters {
	moved := Counters{}
	for name, now := range c {
		was := before[name]
		if now < was {
			panic(fmt.Sprintf("counter %s went from %d to %d: Since wants the later counters as receiver", name, was, now))
		}
		if now > was {
			moved[name] = now - was
		}
	}
	return moved
}

// Only keeps the named counters that are not zero.
func (c Counters) Only(names ...string) Counters {
	kept := Counters{}
	for _, name := range names {
		if n := c[name]; n != 0 {
			kept[name] = n
		}
	}
	return kept
}

// OverflowCounters names the counters of TCP that a full accept queue or SYN queue
// can move, on the host that overflows or on its clients', the most telling first.
func OverflowCounters() []string {
	return []string{
		"EmbryonicRsts", "OutRsts", "EstabResets", "ListenOverflows", "ListenDrops",
		"TCPReqQFullDrop", "TCPReqQFullDoCookies", "SyncookiesSent", "SyncookiesRecv", "SyncookiesFailed",
		"TCPTimeouts", "TCPSynRetrans", "TCPSYNChallenge", "TCPChallengeACK", "TCPDeferAcceptDrop",
		"TCPMigrateReqSuccess", "TCPMigrateReqFailure", "AttemptFails", "TCPBacklogDrop",
	}
}

// String lists the counters by name: "ListenDrops 331, OutRsts 69".
func (c Counters) String() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(c)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, c[name]))
	}
	return strings.Join(parts, ", ")
}
