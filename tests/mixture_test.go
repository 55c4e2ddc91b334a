package tests

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/nftables/expr"
	"github.com/rstlab/rstlab/netlab/diagnose"
	"github.com/rstlab/rstlab/netlab/scenario"
	"golang.org/x/sys/unix"
)

// pair is two causes that look alike, made to happen in one lab and at one time.
type pair struct {
	causes [2]diagnose.Cause
	stage  func(*testing.T) staged
}

// lookAlikes are the pairs that prove that a diagnosis does not guess.
func lookAlikes() []pair {
	return []pair{
		{[2]diagnose.Cause{diagnose.AcceptOverflowAbort, diagnose.FirewallRejectACK}, stageOverflowAndFirewall},
		{[2]diagnose.Cause{diagnose.ClosedPort, diagnose.FirewallRejectSYN}, stageClosedAndFirewall},
		{[2]diagnose.Cause{diagnose.AcceptOverflowSYN, diagnose.FirewallDropSYN}, stageDroppedSYNs},
		{[2]diagnose.Cause{diagnose.AcceptOverflowKept, diagnose.CookieGhost}, stageKeptAndGhosts},
		{[2]diagnose.Cause{diagnose.ListenerClosed, diagnose.LingerZero}, stageClosedAndLinger},
	}
}

// playPairs counts the pairs that were told apart.
func playPairs(t *testing.T, told *atomic.Int64) {
	for _, p := range lookAlikes() {
		t.Run(fmt.Sprintf("%s,%s", p.causes[0], p.causes[1]), func(t *testing.T) {
			t.Parallel()
			checkMixture(t, p.stage(t).Evidence, p.causes[:]...)
			if !t.Failed() {
				told.Add(1)
			}
		})
	}
}

// TestCausesMixed makes three causes happen at once, on two listeners.
func TestCausesMixed(t *testing.T) {
	s := newScene(t, t)
	fillAlmost(s)
	ln := s.listenOn(otherPort, 16)
	filter(t, s.w.Server, otherPort+1, byte(scenario.ACK), &expr.Reject{Type: unix.NFT_REJECT_TCP_RST})
	s.listenOn(otherPort+1, 16)
	s.start()
	s.dial()
	s.queued(1)
	lingering := s.dialTo(otherPort)
	server := s.accept(ln)
	fatal(t, server.SetLinger(0))
	s.connect(frontPort, 2)
	s.connect(otherPort+1, 2)
	fatal(t, server.Close())
	s.read(lingering)
	s.counted(s.w.Client, "EstabResets", 4)
	checkMixture(t, s.stop().Evidence, diagnose.AcceptOverflowAbort, diagnose.FirewallRejectACK, diagnose.LingerZero)
}

// checkMixture holds the diagnosis to the causes: each port has one, each flow that
// failed is named with certainty, each cause occurs, and the books balance.
func checkMixture(t *testing.T, e scenario.Evidence, causes ...diagnose.Cause) {
	t.Helper()
	report := diagnose.Run(e)
	byPort := map[netip.AddrPort]map[diagnose.Cause]int{}
	seen := map[diagnose.Cause]int{}
	for _, f := range report.Flows {
		if f.Cause == diagnose.Healthy {
			continue
		}
		if f.Grade != diagnose.Certain || !slices.Contains(causes, f.Cause) {
			t.Errorf("flow %s is diagnosed as %s (%s), want one of %v with certainty\n%s", f.Name, f.Cause, f.Grade, causes, explain(f))
		}
		if byPort[f.Server] == nil {
			byPort[f.Server] = map[diagnose.Cause]int{}
		}
		byPort[f.Server][f.Cause]++
		seen[f.Cause]++
	}
	if len(seen) != len(causes) {
		t.Errorf("the causes are %v, want %v\n%s", slices.Sorted(maps.Keys(seen)), causes, overview(report))
	}
	if !report.Balanced() {
		t.Errorf("the books do not balance: %+v", report.Summary.Books)
	}
}

// fillAlmost opens a listener of two places that resets; with one place taken, the
// second of two clients that come together is reset.
func fillAlmost(s *scene) {
	s.Helper()
	s.w.Server.Sysctl(abortKey, "1")
	s.listen(1)
}

func stageOverflowAndFirewall(t *testing.T) staged {
	s := newScene(t, t)
	fillAlmost(s)
	filter(t, s.w.Server, otherPort, byte(scenario.ACK), &expr.Reject{Type: unix.NFT_REJECT_TCP_RST})
	s.listenOn(otherPort, 16)
	s.start()
	s.dial()
	s.queued(1)
	s.connect(frontPort, 2)
	s.connect(otherPort, 2)
	s.counted(s.w.Client, "EstabResets", 3)
	return s.stop()
}

func stageClosedAndFirewall(t *testing.T) staged {
	s := newScene(t, t)
	filter(t, s.w.Server, otherPort, byte(scenario.SYN), &expr.Reject{Type: unix.NFT_REJECT_TCP_RST})
	s.listenOn(otherPort+1, 16)
	s.start()
	s.connect(frontPort, 3)
	s.counted(s.w.Client, "AttemptFails", 3)
	s.dialTo(otherPort + 1) // lets a round trip pass, in which the counters are read
	s.connect(otherPort, 2)
	s.counted(s.w.Client, "AttemptFails", 5)
	return s.stop()
}

func stageDroppedSYNs(t *testing.T) staged {
	s := newScene(t, t)
	s.listen(0)
	filter(t, s.w.Server, otherPort, byte(scenario.SYN), &expr.Verdict{Kind: expr.VerdictDrop})
	s.listenOn(otherPort, 16)
	s.start()
	s.dial()
	s.queued(1)
	s.connect(frontPort, 2)
	s.connect(otherPort, 3)
	s.counted(s.w.Client, "TCPSynRetrans", 5)
	s.counted(s.w.Server, "ListenOverflows", 4)
	e := s.stop()
	e.Hosts[1].Log = []scenario.LogLine{} // the server's program says nothing
	return e
}

// Of 20 clients at a queue with one place the SYN queue takes 17, and three get cookies.
func stageKeptAndGhosts(t *testing.T) staged {
	s := knobs{cookies: 1}.scenario(16, scenario.Wave{Clients: 16}, scenario.Wave{Clients: 20, At: secondWave})
	s.RTT, s.Write, s.Horizon = 20*time.Millisecond, new(time.Duration(0)), 2300*time.Millisecond
	return played(s)(t)
}

func stageClosedAndLinger(t *testing.T) staged {
	s := newScene(t, t)
	closing, ln := s.listen(16), s.listenOn(otherPort, 16)
	s.start()
	s.dial()
	s.dial()
	s.queued(2)
	lingering := s.dialTo(otherPort)
	server := s.accept(ln)
	fatal(t, server.SetLinger(0))
	fatal(t, closing.Close())
	fatal(t, server.Close())
	s.read(lingering)
	s.counted(s.w.Client, "EstabResets", 3)
	return s.stop()
}
