package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/rstlab/rstlab/netlab/wire"
	"github.com/rstlab/rstlab/servers"
	"github.com/rstlab/rstlab/servers/rpc"
)

// realPatience is how long a scenario without a horizon is watched after all that it
// plans: two SYN retries.
const realPatience = 2500 * time.Millisecond

const (
	frontPort   = 8080
	backendPort = 9000
)

// real is the story's setting: a swarm of keep-alive HTTP clients, a front, and a
// backend on the front's host. The hosts are joined by a veth pair, or with a round-trip
// time by a wire in real time.
type real struct {
	scenario.Scenario
	client, server *netlab.Host
	stop           context.CancelFunc // of everything in the background
	background     sync.WaitGroup
	listener       *servers.Listener

	mu       sync.Mutex
	accepted map[netip.AddrPort]bool
	drops    uint64 // of the listener, once it is closed
	closed   bool
	err      error // the first one in the background
}

// openReal makes the setting. A scenario without a horizon gets one: in real time the
// kernel's timers cannot be held still.
func openReal(lab netlab.TB, s scenario.Scenario) (engine, error) {
	if s.RTT >= time.Second {
		return engine{}, fmt.Errorf("rtt is %v, want less than 1s in real time, after which a client repeats its SYN", s.RTT)
	}
	if n := s.Arrivals.Clients(); n > wire.MaxClients {
		return engine{}, fmt.Errorf("number of clients in arrivals is %d, want at most %d in real time, each with descriptors of its own", n, wire.MaxClients)
	}
	if s.Horizon == 0 {
		s.Horizon = lastPlan(s) + realPatience
		lab.Logf("played up to a horizon of %v", s.Horizon)
	}
	if err := s.Validate(); err != nil {
		return engine{}, err
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &real{Scenario: s, stop: stop, accepted: map[netip.AddrPort]bool{}}
	var c scenario.Calibration
	var err error
	if s.RTT == 0 {
		if c, err = wire.NewPlug(lab).Calibrate(); err != nil {
			return engine{}, err
		}
		r.client, r.server = netlab.New(lab).Pair()
	} else {
		w := wire.New(lab)
		if c, err = w.Calibrate(); err != nil {
			return engine{}, err
		}
		w.SetRTT(s.RTT)
		r.client, r.server = w.Client, w.Server
		r.background.Go(func() { r.note(w.Live(ctx)) })
	}
	lab.Cleanup(r.close) // after the lab is made, so that what runs on its hosts ends before they do
	return engine{s, c, func(scenario.Scenario) (scenario.Outcome, error) { return r.play(ctx) }}, nil
}

// note keeps the first error of what runs in the background.
func (r *real) note(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = cmp.Or(r.err, err)
}

func (r *real) firstError() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

func (r *real) close() {
	r.stop()
	r.background.Wait()
}

// play runs the swarm up to the horizon. Then it looks at both ends, and only after
// that is anything closed.
func (r *real) play(ctx context.Context) (o scenario.Outcome, err error) {
	for key, value := range r.Sysctls() {
		if err := r.server.SetSysctl(key, value); err != nil {
			return o, err
		}
	}
	if err := r.serve(ctx); err != nil {
		return o, err
	}
	if err := rehearse(ctx, 2*r.Arrivals.Clients()); err != nil {
		return o, err
	}
	server, client := r.server.Counters(), r.client.Counters()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	looked := make(chan struct{})
	var swarm sync.WaitGroup
	var result loadclient.Result
	begin := time.Now()
	swarm.Go(func() {
		var err error
		result, err = loadclient.Run(ctx, loadclient.Config{
			Target: fmt.Sprintf("http://%s/", net.JoinHostPort(r.address(), fmt.Sprint(frontPort))),
			Waves:  r.Arrivals, Timeout: 2 * r.Horizon, Dial: r.dial, Decided: func() { <-looked }, Progress: os.Stderr,
		})
		if ctx.Err() == nil {
			r.note(err)
		}
	})
	r.follow(begin)
	time.Sleep(time.Until(begin.Add(r.Horizon)))

	counters := scenario.OutcomeCounters()
	o.Server = r.server.Counters().Since(server).Only(counters...)
	o.Client = r.client.Counters().Since(client).Only(counters...)
	o.Drops = r.readDrops()
	ends := r.look()
	close(looked)
	cancel()
	swarm.Wait()
	for _, c := range result.Clients {
		o.ByClient = append(o.ByClient, ends.fate(c))
	}
	o.Fates = scenario.CountFates(o.ByClient)
	return o, cmp.Or(r.firstError(), o.Check(r.Scenario))
}

// rehearse runs a swarm whose clients fail at once, so that the process has room for as
// many afterwards. Without it the swarm would begin 5 to 20 ms after the clock, on a busy
// machine much later, and might stand still halfway: so long does the kernel take to let
// the table of descriptors grow. The server's connections are in the same table.
func rehearse(ctx context.Context, clients int) error {
	_, err := loadclient.Run(ctx, loadclient.Config{
		Target: "http://rehearsal", Clients: clients,
		Dial: func(context.Context, string, string) (net.Conn, error) { return nil, net.ErrClosed },
	})
	return err
}

func (r *real) address() string {
	if r.IPv6 {
		return r.server.Addr6()
	}
	return r.server.Addr()
}

// serve starts the backend and the front. The front's one connection to the backend is
// made here, so that no counter moves for it later.
func (r *real) serve(ctx context.Context) error {
	lc := r.server.ListenConfig()
	backendListener, err := lc.Listen(ctx, "tcp4", fmt.Sprintf("127.0.0.1:%d", backendPort))
	if err != nil {
		return err
	}
	backend := servers.NewBackend()
	r.background.Go(func() { r.note(backend.Serve(backendListener)) })
	client := &rpc.Client{Address: backendListener.Addr().String(), PoolSize: 1, Dial: r.server.DialContext}
	context.AfterFunc(ctx, func() { // from here on, or close would wait for the backend in vain when something below fails
		_ = client.Close()
		_ = backend.Close()
	})
	if _, err := client.Call(ctx, "echo", nil); err != nil {
		return err
	}
	if r.listener, err = servers.Listen(ctx, lc, "tcp", net.JoinHostPort(r.address(), fmt.Sprint(frontPort))); err != nil {
		return err
	}
	if err := r.listener.SetBacklog(r.Backlog); err != nil {
		return err
	}
	r.prepareAccept()
	front := servers.NewFront(client, r.Horizon)
	front.ConnState = r.connState
	r.background.Go(func() { _ = front.Serve(r.listener) }) // ends with an error, by Close
	context.AfterFunc(ctx, func() { _ = front.Close() })
	return nil
}

// connState keeps who was accepted.
func (r *real) connState(conn net.Conn, state http.ConnState) {
	if state != http.StateNew {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.accepted[unmapped(conn.RemoteAddr().(*net.TCPAddr).AddrPort())] = true
}

// dial connects a client, whose first byte then waits as the scenario says.
func (r *real) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := r.client.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &patientConn{Conn: conn, begin: time.Now(), write: r.Write, closed: make(chan struct{})}, nil
}
