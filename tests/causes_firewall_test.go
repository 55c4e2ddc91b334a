package tests

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/diagnose"
	"github.com/rstlab/rstlab/netlab/scenario"
	"golang.org/x/sys/unix"
)

// firewallCauses look like others on the wire, and no TCP counter moves for them; and
// the one whose root is the program's.
func firewallCauses() []cause {
	reset := &expr.Reject{Type: unix.NFT_REJECT_TCP_RST}
	prohibited := &expr.Reject{Type: unix.NFT_REJECT_ICMP_UNREACH, Code: 3} // port unreachable
	return []cause{
		{18, diagnose.FirewallRejectSYN, 1, "ECONNREFUSED", stageFirewall(byte(scenario.SYN), reset)},
		{19, diagnose.FirewallRejectACK, 1, "ECONNRESET", stageFirewall(byte(scenario.ACK), reset)},
		{20, diagnose.FirewallDropSYN, 1, "", stageFirewall(byte(scenario.SYN), &expr.Verdict{Kind: expr.VerdictDrop})},
		{21, diagnose.ICMPUnreachable, 1, "ECONNREFUSED", stageFirewall(byte(scenario.SYN), prohibited)},
		{28, diagnose.OutOfDescriptors, 3, "", stageOutOfDescriptors},
	}
}

// stageFirewall has the server's own packet filter do something to segments with
// exactly these TCP flags.
func stageFirewall(flags byte, action expr.Any) func(*testing.T) staged {
	return func(t *testing.T) staged {
		s := newScene(t, t)
		filter(t, s.w.Server, frontPort, flags, action)
		s.listen(16)
		s.start()
		if _, drops := action.(*expr.Verdict); drops {
			s.connect(frontPort, 1)
			s.until("the SYN is repeated", func() bool { return s.w.Client.Counters()["TCPSynRetrans"] == 1 })
			return s.stop()
		}
		if client, err := s.tryDial(frontPort); err == nil {
			s.read(client)
		}
		return s.stop()
	}
}

// filter adds a rule to the host's input: TCP segments to a port with exactly these
// flags.
func filter(t *testing.T, h *netlab.Host, port int, flags byte, action expr.Any) {
	t.Helper()
	fatal(t, h.Do(func() error {
		c, err := nftables.New()
		if err != nil {
			return err
		}
		table := c.AddTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: "lab"})
		chain := c.AddChain(&nftables.Chain{
			Name: "input", Table: table, Type: nftables.ChainTypeFilter, Hooknum: nftables.ChainHookInput, Priority: nftables.ChainPriorityFilter,
		})
		c.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: []expr.Any{
			&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1},
			&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.NFPROTO_IPV4}},
			&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
			&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_TCP}},
			&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
			&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{byte(port >> 8), byte(port)}},
			&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 13, Len: 1},
			&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{flags}},
			action,
		}})
		return c.Flush()
	}))
}

// deafRole is a server that has no descriptor left for a connection, and says so.
var deafRole = netlab.Role{Name: "out-of-descriptors", Run: runOutOfDescriptors}

func runOutOfDescriptors(args []string) error {
	ln, err := net.Listen("tcp4", args[0])
	if err != nil {
		return err
	}
	raw, err := ln.(*net.TCPListener).SyscallConn()
	if err != nil {
		return err
	}
	if err := withSocket(raw, func(fd int) error { return unix.Listen(fd, 1) }); err != nil {
		return err
	}
	limit := unix.Rlimit{Cur: 0, Max: 0} // of the descriptors that are opened from now on
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	for {
		if _, err := ln.Accept(); err != nil {
			fmt.Println(err)
			return unix.Pause() // until it is killed with its host; an empty select is a deadlock to a program without cgo
		}
	}
}

// Two connections fill the queue of a server that cannot accept, and three more knock.
func stageOutOfDescriptors(t *testing.T) staged {
	tee := &teeTB{T: t}
	s := newScene(t, tee)
	s.w.Server.StartRole(deafRole.Name, s.target()).WaitListening(frontPort)
	s.until("the server listens with its backlog", func() bool { return s.w.Server.AcceptQueue(frontPort).Limit == 1 })
	s.start()
	s.dial()
	s.until("the server fails to accept", func() bool { return strings.Contains(tee.log.String(), "too many open files") })
	s.dial()
	s.queued(2)
	s.connect(frontPort, 3)
	s.until("the SYNs are dropped", func() bool { return s.w.Server.Counters()["ListenOverflows"] >= 3 })
	e := s.stop()
	e.Hosts[1].Log = tee.lines()
	return e
}

// teeTB is a test that also keeps what programs print.
type teeTB struct {
	*testing.T
	log lockedBuffer
}

// lines are what was printed so far; not nil, since somebody listened.
func (t *teeTB) lines() []scenario.LogLine {
	lines := []scenario.LogLine{}
	for line := range strings.Lines(t.log.String()) {
		lines = append(lines, scenario.LogLine{Text: strings.TrimSpace(line)})
	}
	return lines
}

func (t *teeTB) Output() io.Writer { return io.MultiWriter(t.T.Output(), &t.log) }
