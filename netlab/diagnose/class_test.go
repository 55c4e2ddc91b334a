package diagnose

import (
	"slices"
	"testing"
)

func TestClassify(t *testing.T) {
	for _, c := range []struct {
		say  string
		want class
	}{
		{">S <S. >. >P. <. <P. >. >F. <F. >.", healthy},
		{">S <S. >. <P. >.", healthy},                       // the server speaks first
		{">S <S. >R", healthy},                              // somebody looks whether there is a listener
		{">S <S. >S <S. >. >P. <.", healthy},                // a SYN-ACK was lost
		{">S <S. (1s) <S. >. >P. <.", healthy},              // the ACK was lost, as seen at the server
		{">S <S. >. >P. (60ms) >P. (60ms) >P. <.", healthy}, // a slow path
		{">S <S. >. >P. <. >P. >P.= >P.= <.", healthy},      // losses, and it went on
		{">P. <P. >.", healthy},
		{">S <S.", partial},
		{">S <R.", refused},
		{">S (1s) >S <R.", refused},
		{">S !3", unreached},
		{">S", unanswered},
		{">S (1s) >S (2s) >S", unanswered},
		{">S (1s) >S <S. >. >P. <.", delayed},
		{">S <S. >. <R", handshakeRST},
		{">S <S. >. >P. <R <R", handshakeRST},
		{">S <S. >. (1s) <S. >. <R", retriedRST},
		{">S <S. >. (1s) >P. <R", lateRST},
		{">S <S. >. >P. (200ms) >P.= <R", lateRST},
		{">S <S. >. <R.", abortRST},
		{">S <S. >. >P. <. <P. >. <R.", abortRST},
		{">P. <. <R.", abortRST}, // it began before the capture
		{">S <S. >. >P. <. <F. >. >P. <R", closedWrite},
		{"<F. >. >P. <R", closedWrite},
		{">S <S. >. >P. <. >P. <R", strayRST},
		{"<P. >. >P. <R", strayRST},
		{">S <R", strayRST},
		{">P. <R", middleRST},
		{">. <R", middleRST},
		{">S <S. >. >P. (1s) <S. >P.=", kept},
		{">S <S. >. (1s) <S. >.", kept},
		{">S <S. >. >P.", ghost},
		{">S <S. >. >P. (200ms) >P.= (400ms) >P.=", ghost},
		{">S <S. >. >P. (200ms) >P.= <.", ghost},
		{">S <S. >.", silent},
		{">S <. >R (1s) >S <S. >.", timeWait},
		{">S <S. >. >P. <. >P. (200ms) >P.= (400ms) >P.=", gaveUp},
		{">P. (200ms) >P.= (400ms) >P.=", gaveUp},
	} {
		k := newTalk().say(c.say)
		flows := track(k.evidence().Hosts)
		if len(flows) != 1 {
			t.Errorf("%s has %d flows, want 1", c.say, len(flows))
			continue
		}
		h := historyOf(flows[0])
		if got := h.classify(flows[0].failedByICMP()); got != c.want {
			t.Errorf("%s is of class %d, want %d", c.say, got, c.want)
		}
	}
}

// Every class has causes to suspect, and every cause but unknown has a class.
func TestSuspects(t *testing.T) {
	seen := map[Cause]bool{Unknown: true}
	for c := healthy; c <= ignored; c++ {
		if len(suspects[c]) == 0 {
			t.Errorf("class %d has no suspect", c)
		}
		for i, cause := range suspects[c] {
			seen[cause] = true
			if slices.Contains(suspects[c][:i], cause) {
				t.Errorf("class %d suspects %s twice", c, cause)
			}
		}
	}
	for cause, d := range about {
		if !seen[cause] {
			t.Errorf("no class suspects %s", cause)
		}
		if d.what == "" {
			t.Errorf("%s is not described", cause)
		}
	}
}

// What packets alone leave possible, the most usual first.
func TestCandidatesFromPackets(t *testing.T) {
	for _, c := range []struct {
		say  string
		want []Cause
	}{
		{">S <S. >. <R", []Cause{AcceptOverflowAbort, ListenerClosedHalf, MemberClosed, FirewallRejectACK, InjectedRST}},
		{">S <S. >. <R.", []Cause{ListenerClosed, MemberClosed, LingerZero, MemoryPressure, InjectedRST}},
		{">S <S. >. >P. <. <R.", []Cause{ListenerClosed, MemberClosed, UnreadData, LingerZero, MemoryPressure, InjectedRST}},
		{">S <S. >. >P. <. <P. >. <R.", []Cause{UnreadData, LingerZero, MemoryPressure, InjectedRST}},
		{">S:hello <S. >. <R.", []Cause{MemberClosed, UnreadData, LingerZero, MemoryPressure, FastOpenClosed, InjectedRST}},
		{"<P. >. <R.", []Cause{UnreadData, LingerZero, KeepAliveRace, MemoryPressure, FastOpenClosed, InjectedRST}},
		{">S <S. >. >P. <. <F. >. >P. <R", []Cause{WriteAfterClose, InjectedRST}},
		{">S <S. >. >P.:GET_/ <. <P.:HTTP/1.1 >. <F. >. >P.:GET_/ <R", []Cause{KeepAliveRace, InjectedRST}},
		{">S <S. >. >P.:\x16\x03\x01 <. <P.:\x17\x03\x03 >. <F. >. >P.:\x17\x03\x03x <R", []Cause{WriteAfterClose, KeepAliveRace, InjectedRST}},
		{">S", []Cause{Healthy, AcceptOverflowSYN, OutOfDescriptors, SYNQueueFull, MaxSYNBacklog, FirewallDropSYN}},
		{">S (1s) >S", []Cause{AcceptOverflowSYN, OutOfDescriptors, SYNQueueFull, MaxSYNBacklog, FirewallDropSYN}},
		{">S <S. >. >P. (200ms) >P.=", []Cause{CookieGhost, AcceptOverflowKept}},
		{">S <S. >. >P. <. >P. (200ms) >P.= >P.=", []Cause{UserTimeout}},
		{">P. (200ms) >P.= (400ms) >P.=", []Cause{UserTimeout, CookieGhost, AcceptOverflowKept}},
		{">P. <R", suspects[middleRST]},
		{">S !3", []Cause{ICMPUnreachable}},
	} {
		f := only(t, Run(newTalk().say(c.say).evidence()))
		if !slices.Equal(f.Candidates, c.want) {
			t.Errorf("%s: the candidates are %v, want %v", c.say, f.Candidates, c.want)
		}
	}
}
