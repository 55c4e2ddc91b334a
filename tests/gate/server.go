package gate

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// Starter starts rstlab's own server on a host, for a gate without a target, and says on
// which port it listens.
type Starter func(*netlab.Host) (*netlab.Proc, int)

// start runs the server and returns when it listens where the clients can reach it.
func (g *game) start(own Starter) error {
	if g.Target == "" {
		g.proc, g.port = own(g.server)
	} else if err := g.startTarget(); err != nil {
		return err
	}
	if err := g.proc.AwaitListening(g.port, g.Patience); err != nil {
		return err
	}
	return g.awaitReachable()
}

// startTarget runs the command by sh, as it stands. The process has the name of the
// command's first word.
func (g *game) startTarget() error {
	words := strings.Fields(g.Target)
	if len(words) == 0 {
		return errors.New("target is only spaces: want the command that starts the server")
	}
	if info, err := os.Stat(g.Dir); err != nil || !info.IsDir() {
		return fmt.Errorf("dir is %s: want a folder, in which the server is started", g.Dir)
	}
	cmd := &exec.Cmd{Path: "/bin/sh", Args: []string{words[0], "-c", g.Target}, Dir: g.Dir, Env: os.Environ()}
	for key, value := range g.Env {
		cmd.Env = append(cmd.Env, key+"="+value)
	}
	if g.files != "" {
		cmd.Env = append(cmd.Env, "RSTLAB_FILES="+g.files)
	}
	var err error
	g.proc, err = g.server.StartCommand(cmd)
	return err
}

// reachPatience bounds what takes no time in a server that has one listener, and a
// moment in one that opens several.
const reachPatience = time.Second

// awaitReachable waits for a listener on an address that clients of the family can
// connect to.
func (g *game) awaitReachable() error {
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	timeout := time.After(reachPatience)
	for len(g.listeners()) == 0 {
		select {
		case <-again.C:
		case <-timeout:
			return g.unreachable()
		}
	}
	return nil
}

// listeners are those that the clients come to: of the port on the clients' address, or
// on all addresses of their family, or for IPv4 on [::].
func (g *game) listeners() []netlab.AcceptQueue {
	for _, addr := range []netip.Addr{g.addr, unspecified(g.addr), netip.IPv6Unspecified()} {
		others := func(q netlab.AcceptQueue) bool { return q.Addr.Addr() != addr }
		if found := slices.DeleteFunc(g.onPort(), others); len(found) > 0 {
			return found
		}
	}
	return nil
}

func (g *game) onPort() []netlab.AcceptQueue {
	return slices.DeleteFunc(g.server.AcceptQueues(), func(q netlab.AcceptQueue) bool { return int(q.Addr.Port()) != g.port })
}

func (g *game) unreachable() error {
	var addrs []string
	for _, q := range g.onPort() {
		addrs = append(addrs, q.Addr.String())
	}
	cure := fmt.Sprintf("let it listen on %v", netip.AddrPortFrom(unspecified(g.addr), uint16(g.port)))
	if g.addr.Is4() && slices.ContainsFunc(g.onPort(), func(q netlab.AcceptQueue) bool { return q.Addr.Addr() == g.server.Addrs6()[0] }) {
		cure = "gate it with ipv6"
	}
	return fmt.Errorf("%s listens on %s, which %s clients on another host cannot reach: %s",
		g.name(), strings.Join(addrs, " and "), family(g.addr), cure)
}

func unspecified(a netip.Addr) netip.Addr {
	if a.Is4() {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

func family(a netip.Addr) string {
	if a.Is4() {
		return "IPv4"
	}
	return "IPv6"
}

// rehearse lets one client in, to see that there is a server of the right kind, and says
// how long the answer took.
func (g *game) rehearse(ctx context.Context) (time.Duration, error) {
	cfg := g.swarm()
	cfg.Waves, cfg.Requests = scenario.Arrivals{{Clients: 1}}, 1
	result, err := loadclient.Run(ctx, cfg)
	if err != nil {
		return 0, err
	}
	c := result.Clients[0]
	took := round(c.Ended - c.Started)
	if c.Fate == scenario.Served {
		return took, nil
	}
	if how := g.ended(result); how != "" {
		return 0, fmt.Errorf("%s ended while its first client waited: %s", g.name(), how)
	}
	return 0, fmt.Errorf("%s does not serve a single client, before any burst: %s%s", g.name(), g.whyNot(c, took), printed(g.proc))
}

// whyNot says what the one client met, and what to type instead.
func (g *game) whyNot(c loadclient.Client, took time.Duration) string {
	switch {
	case c.Fate == scenario.Refused:
		return fmt.Sprintf("it refuses %s, though something listens on port %d; try the other family, with ipv6", family(g.addr), g.port)
	case c.Status != 0:
		return fmt.Sprintf("GET %s gives %s; set path to one that gives 200, and if it speaks TLS, gate it without", g.Path, c.Error)
	case slices.Contains(unanswered, c.Fate) && c.Errno == 0 && c.Ended-c.Planned >= g.Timeout:
		return fmt.Sprintf("the client was connected and got no answer in %v; %s", took, queuesInWords(g.listeners()))
	case c.Fate == scenario.Failed && g.Protocol == protocolHTTP:
		return fmt.Sprintf("it does not answer in HTTP (%s); for another protocol set protocol tcp, send and expect", c.Error)
	}
	return fmt.Sprintf("%v: %s", c.Fate, c.Error)
}

// printed is the end of a sentence about a server.
func printed(p *netlab.Proc) string {
	last := p.LastLines()
	if len(last) == 0 {
		return ""
	}
	return "; it printed last:\n\t" + strings.Join(last, "\n\t")
}

func queuesInWords(queues []netlab.AcceptQueue) string {
	if len(queues) == 0 {
		return "nothing listens"
	}
	var all []string
	for _, q := range queues {
		all = append(all, q.String())
	}
	return "accept queue of " + strings.Join(all, "; ")
}
