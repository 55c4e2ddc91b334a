package diagnose

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// Without counters nothing is certain but what packets alone prove.
func TestNothingIsCertainWithoutCounters(t *testing.T) {
	for say, want := range map[string]Grade{
		">S <S. >. <R":                        Likely,
		">S <S. >. (1s) <S. >. <R":            Likely,
		">S <S. >. <R.":                       Possible,
		">S <R.":                              Possible,
		">S (1s) >S":                          Possible,
		">S <S. >. >P. <. <F. >. >P. <R":      Possible,
		">S <S. >. >P. <. >P. (1s) >P.= >P.=": Likely,
		">S <S. >. (1s) <S. >.":               Possible,
		">S <S.":                              Possible,
		">S <S. >. >P. <.":                    Certain,
		">S !3":                               Certain,
		">S <. >R (1s) >S <S. >.":             Certain,
	} {
		f := only(t, Run(newTalk().say(say).evidence()))
		if f.Grade != want {
			t.Errorf("%s is %s (%s), want %s", say, f.Cause, f.Grade, want)
		}
		if f.Grade == Certain && !slices.Contains(conclusive, f.Cause) {
			t.Errorf("%s is certainly %s from packets alone", say, f.Cause)
		}
	}
}

// What the server's counters make certain.
func TestCertainWithCounters(t *testing.T) {
	for _, c := range []struct {
		say   string
		moved scenario.Counters
		cause Cause
		grade Grade
	}{
		{">S <S. >. <R", scenario.Counters{"EmbryonicRsts": 1, "OutRsts": 1, "ListenOverflows": 1, "ListenDrops": 1}, AcceptOverflowAbort, Certain},
		{">S <S. >. <R", scenario.Counters{}, FirewallRejectACK, Certain},
		{">S <S. >. <R", scenario.Counters{"OutRsts": 1}, ListenerClosedHalf, Likely}, // or a member of several
		{">S <R.", scenario.Counters{"OutRsts": 1}, ClosedPort, Certain},
		{">S <R.", scenario.Counters{}, FirewallRejectSYN, Certain},
		{">S (1s) >S", scenario.Counters{}, FirewallDropSYN, Certain},
		{">S (1s) >S", scenario.Counters{"TCPReqQFullDrop": 2, "ListenDrops": 2}, SYNQueueFull, Certain},
		{">S (1s) >S", scenario.Counters{"ListenDrops": 2}, MaxSYNBacklog, Certain},
		{">S (1s) >S", scenario.Counters{"ListenOverflows": 2, "ListenDrops": 2}, AcceptOverflowSYN, Likely}, // or no descriptors
		{">S <S. >. >P. <. <R.", scenario.Counters{"OutRsts": 1, "EstabResets": 1, "TCPAbortOnClose": 1}, UnreadData, Certain},
		{">S <S. >. >P. <. <R.", scenario.Counters{"OutRsts": 1, "EstabResets": 1, "TCPAbortOnData": 1}, LingerZero, Certain},
		{">S <S. >. >P. <. <R.", scenario.Counters{"OutRsts": 1, "TCPAbortOnMemory": 1}, MemoryPressure, Certain},
	} {
		f := only(t, Run(newTalk().say(c.say).atServer(c.moved)))
		if f.Cause != c.cause || f.Grade != c.grade {
			t.Errorf("%s with %v is %s (%s), want %s (%s); ruled out: %v", c.say, c.moved, f.Cause, f.Grade, c.cause, c.grade, f.RuledOut)
		}
	}
}

// Counters of a whole namespace do not tell which of two SYNs was dropped by a queue:
// a drop less than there are silent SYNs rules no firewall out.
func TestFirewallIsNotRuledOutByOthersDrops(t *testing.T) {
	k := newTalk().say(">S (1s) >S (2s) >S")
	other := newTalk()
	other.server = netip.MustParseAddrPort("10.0.0.1:81")
	other.now = k.now
	other.say(">S (1s) >S (2s) >S")
	k.packets = append(k.packets, other.packets...)
	k.now = other.now
	for drops, want := range map[uint64]bool{3: true, 6: false} {
		r := Run(k.atServer(scenario.Counters{"ListenOverflows": drops, "ListenDrops": drops}))
		for _, f := range r.Flows {
			if got := slices.Contains(f.Candidates, FirewallDropSYN); got != want {
				t.Errorf("with %d drops for 6 SYNs %s may be a firewall's: %v, want %v", drops, f.Name, got, want)
			}
		}
	}
}

// A capture at both ends shows a RST that the server never sent.
func TestInjected(t *testing.T) {
	k := newTalk().say(">S <S. >. >P. <. <P. >. <R")
	e := scenario.Evidence{Hosts: []scenario.Witnessed{
		{Host: "client", Addrs: []netip.Addr{clientEnd.Addr()}, Packets: k.packets},
		{Host: "server", Addrs: []netip.Addr{serverEnd.Addr()}, Packets: k.packets[:len(k.packets)-1]},
	}}
	if f := only(t, Run(e)); f.Cause != InjectedRST || f.Grade != Certain {
		t.Errorf("the flow is %s (%s), want %s with certainty", f.Cause, f.Grade, InjectedRST)
	}
	e.Hosts[1].LetGo = 1 // it may be among what was not kept
	if f := only(t, Run(e)); f.Grade == Certain {
		t.Errorf("with packets let go the flow is certainly %s", f.Cause)
	}
}

// Both ends on one host, as over its loopback.
func TestLoopback(t *testing.T) {
	k := newTalk()
	k.client, k.server = netip.MustParseAddrPort("127.0.0.1:40000"), netip.MustParseAddrPort("127.0.0.1:80")
	r := Run(k.say(">S <S. >. >P. <. <P. >. <R.").atServer(scenario.Counters{"OutRsts": 1, "EstabResets": 2, "TCPAbortOnClose": 1}))
	if f := only(t, r); f.Cause != UnreadData || f.Grade != Certain || !r.Balanced() {
		t.Errorf("the flow is %s (%s) and the books are %+v, want %s with certainty and balanced ones", f.Cause, f.Grade, r.Summary.Books, UnreadData)
	}
}

// What the cause does not explain is said.
func TestAgainst(t *testing.T) {
	for say, want := range map[string]string{
		">S <S. >. >P. <. >R.": "the client itself reset the connection",
		">S (1s) >S <R.":       "nothing had answered the client's first SYN, nor 0 more, as when the accept queue is full",
		">S <R.":               "",
	} {
		f := only(t, Run(newTalk().say(say).evidence()))
		got := ""
		if len(f.Against) > 0 {
			got = f.Against[0].Text
		}
		if got != want {
			t.Errorf("against %s in %s speaks %q, want %q", f.Cause, say, got, want)
		}
	}
}
