package gate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/rstlab/rstlab/netlab/wire"
	"github.com/rstlab/rstlab/netlab/witness"
)

// game is one run of the gate.
type game struct {
	Config
	out         io.Writer
	log         *serverLog
	begin       time.Time
	client      *netlab.Host
	server      *netlab.Host
	addr        netip.Addr // that the clients connect to
	port        int
	files       string // the folder of the set-up files
	proc        *netlab.Proc
	seen        Listening // the listeners when every client had its fate
	calibration scenario.Calibration
}

// Play makes the lab, starts the server, lets the clients in and judges. What it does is
// told on tb.Output while it goes on. The error says in one sentence why there is no
// verdict: the server does not start, is not reachable, serves nobody or ends. Nothing is
// left running when the test ends.
func Play(ctx context.Context, tb netlab.TB, c Config, own Starter) (Result, error) {
	g := &game{Config: c, port: c.Port, out: tb.Output(), log: new(serverLog), begin: time.Now()}
	g.announce()
	r, err := g.run(ctx, tb, own)
	if err != nil {
		g.say("verdict", "none: %v", err)
		return g.without(err), err
	}
	g.print(r)
	return r, nil
}

// run is all from the lab to the verdict.
func (g *game) run(ctx context.Context, tb netlab.TB, own Starter) (Result, error) {
	if err := g.writeFiles(tb); err != nil {
		return Result{}, err
	}
	if err := g.makeLab(quietTB{tb, g.log, g.Target != ""}); err != nil {
		return Result{}, err
	}
	for key, value := range g.Sysctls {
		if err := g.server.SetSysctl(key, value); err != nil {
			return Result{}, fmt.Errorf("sysctls: %w", err)
		}
	}
	if g.Target != "" {
		g.say("start", "the server has %v to listen on port %d", g.Patience, g.Port)
	}
	if err := g.start(own); err != nil {
		return Result{}, err
	}
	took, err := g.rehearse(ctx)
	if err != nil {
		return Result{}, err
	}
	g.seen = g.listening()
	if len(g.seen.Limits) == 0 {
		return Result{}, fmt.Errorf("%s does not listen any more after its first client%s", g.name(), printed(g.proc))
	}
	g.say("ready", "%v; one client was answered in %v, to see that it can", g.seen, took)
	recording := witness.Record(tb, witness.Config{}, g.client, g.server)
	swarm, evidence, err := g.play(ctx, recording)
	if err != nil {
		return Result{}, err
	}
	return g.result(swarm, evidence)
}

// writeFiles makes the folder of the set-up files, if there are any.
func (g *game) writeFiles(tb netlab.TB) (err error) {
	if len(g.Files) == 0 {
		return nil
	}
	if g.files, err = os.MkdirTemp("", "rstlab-gate-"); err != nil {
		return err
	}
	tb.Cleanup(func() { _ = os.RemoveAll(g.files) })
	for name, content := range g.Files {
		if err := os.WriteFile(filepath.Join(g.files, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return os.Chmod(g.files, 0o755) // for a server that drops its privileges
}

// makeLab joins the two hosts by a veth pair, or for a round-trip time by a wire.
func (g *game) makeLab(tb netlab.TB) (err error) {
	if g.RTT == 0 {
		g.client, g.server = netlab.New(tb).Pair()
		g.calibration, err = wire.NewPlug(tb).Calibrate()
	} else {
		if err := netlab.TUNAvailable(); err != nil {
			return fmt.Errorf("rtt takes a TUN device: %w", err)
		}
		if g.calibration, err = wire.New(tb).Calibrate(); err != nil { // a wire of its own, since this changes sysctls
			return err
		}
		w := wire.New(tb)
		w.SetRTT(g.RTT)
		g.client, g.server = w.Client, w.Server
		w.GoLive()
	}
	g.addr = g.server.Addrs()[0]
	if g.IPv6 {
		g.addr = g.server.Addrs6()[0]
	}
	return err
}

// swarm is what the clients do.
func (g *game) swarm() loadclient.Config {
	address := net.JoinHostPort(g.addr.String(), strconv.Itoa(g.port))
	target := "http://" + address + g.Path
	if g.Protocol == protocolTCP {
		target = "tcp://" + address
	}
	return loadclient.Config{
		Target: target, Send: g.Send, Expect: g.Expect,
		Waves: g.waves(), Requests: g.Requests, Timeout: g.Timeout, Control: g.client.Control,
	}
}

var errServerEnded = errors.New("the server has ended")

// play lets the clients in while the server stands still, and lets it go on when its
// time has come. The evidence ends before a connection is closed.
func (g *game) play(ctx context.Context, recording *witness.Recording) (result loadclient.Result, e scenario.Evidence, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	begun, decided, looked, ended := make(chan struct{}), make(chan struct{}), make(chan struct{}), make(chan struct{})
	config := g.swarm()
	first := sync.OnceFunc(func() { close(begun) })
	config.Control = func(network, address string, c syscall.RawConn) error {
		first()
		return g.client.Control(network, address, c)
	}
	config.Decided = func() {
		close(decided)
		<-looked
	}
	if g.Stall > 0 {
		g.proc.Pause()
	}
	g.begin = time.Now()
	go func() {
		defer close(ended)
		result, err = loadclient.Run(ctx, config)
	}()
	g.follow(begun, decided, ended)
	now := g.listening()
	e = recording.Stop()
	if g.proc.Ended() != "" {
		cancel(errServerEnded) // for clients that would wait in vain
	}
	close(looked)
	<-ended
	if how := g.ended(result); how != "" {
		return result, e, fmt.Errorf("%s ended during the run, when of %d clients were %v: %s",
			g.name(), len(result.Clients), result.Fates, how)
	}
	if err == nil && len(now.Limits) == 0 {
		err = fmt.Errorf("%s goes on and does not listen any more, when of %d clients were %v%s", g.name(), len(result.Clients), result.Fates, printed(g.proc))
	}
	g.seen = now // some servers open more listeners late
	return result, e, err
}

// deathPatience is how long after the end of its connections a program may be seen to end.
const deathPatience = 250 * time.Millisecond

// ended says how the server ended, if it did. Where a client was not served, that may be
// about to show.
func (g *game) ended(result loadclient.Result) string {
	if result.Fates[scenario.Served] < len(result.Clients) {
		select {
		case <-g.proc.Done():
		case <-time.After(deathPatience):
		}
	}
	return g.proc.Ended()
}

// follow tells how it goes, and returns when every client has its fate, the server has
// ended or the swarm could not be made.
func (g *game) follow(begun, decided, failed <-chan struct{}) {
	select {
	case <-begun:
	case <-failed:
		return
	}
	g.begin = time.Now()
	goOn := make(<-chan time.Time)
	if g.Stall > 0 {
		g.say("", "paused, and %d clients come", g.waves().Clients())
		goOn = time.After(g.Stall)
	}
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for {
		select {
		case <-goOn:
			g.say("", "goes on: %s", queuesInWords(g.listeners()))
			g.proc.Resume()
		case <-second.C:
			g.say("", "%s", queuesInWords(g.listeners()))
		case <-g.proc.Done():
			return
		case <-decided:
			g.say("", "every client has its fate: %s", queuesInWords(g.listeners()))
			return
		}
	}
}
