package witness

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// Watched names the counters whose movement makes a sample worth keeping: all of
// scenario.OutcomeCounters, and those that tell other causes of a reset, a refusal or a
// time-out. The caller owns the slice.
func Watched() []string { return slices.Clone(watched()) }

var watched = sync.OnceValue(func() []string {
	return append(scenario.OutcomeCounters(),
		"TCPAbortOnData", "TCPAbortOnClose", "TCPAbortOnMemory", "TCPAbortOnTimeout", "TCPAbortOnLinger",
		"TW", "TWRecycled", "TWKilled", "PAWSEstab", "PAWSTimewait",
		"TCPFastOpenActive", "TCPFastOpenActiveFail", "TCPFastOpenPassive", "TCPFastOpenPassiveFail",
		"TCPFastOpenListenOverflow", "TCPFastOpenCookieReqd",
		"TCPMemoryPressures", "PruneCalled", "RcvPruned", "TCPRcvQDrop", "TCPZeroWindowDrop", "TCPMinTTLDrop",
		"InErrs", "InCsumErrors", "OutOfWindowIcmps", "LockDroppedIcmps",
		"IcmpInDestUnreachs", "IcmpOutDestUnreachs", "IpInDiscards", "IpOutDiscards", "IpOutNoRoutes", "IpInAddrErrors",
	)
})

// counterLog is what one host's counters said.
type counterLog struct {
	host    *netlab.Host
	samples []scenario.CounterSample
	last    scenario.Counters // the watched ones of the last sample that was kept
	quiet   time.Duration     // of the latest reading after that, which told nothing new; zero: none
}

// note keeps a reading if something moved, together with the reading just before:
// between the two is when it moved. With all set it keeps every counter, moved or not.
func (l *counterLog) note(at time.Duration, now scenario.Counters, all bool) {
	seen := now.Only(watched()...)
	moved := !maps.Equal(seen, l.last)
	if !moved && !all {
		l.quiet = at
		return
	}
	if moved && l.quiet > 0 {
		l.samples = append(l.samples, scenario.CounterSample{At: l.quiet, Counters: l.last})
	}
	if !all {
		now = seen
	}
	l.last, l.quiet = seen, 0
	l.samples = append(l.samples, scenario.CounterSample{At: at, Counters: now})
}
