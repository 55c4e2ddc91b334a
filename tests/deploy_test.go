package tests

import (
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/diagnose"
	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/rstlab/rstlab/netlab/witness"
	"github.com/rstlab/rstlab/servers"
)

// deployClients is how many clients wait in accept queues while a server is replaced.
const deployClients = 40

// beginAndEnd is the interval of a recording that reads the counters twice. One cause at
// most is at work here, so nothing need be told apart by time, and a reading in between
// that a busy machine holds up would count as older than it is.
const beginAndEnd = time.Hour

// deploy is one way of replacing a server.
type deploy struct {
	name    string
	members int  // sockets that listen on the port, with SO_REUSEPORT if there are two
	migrate bool // tcp_migrate_req
	replace func(*deployment)

	// What becomes of those who wait in the accept queue of the socket that is closed;
	// everybody else is served.
	fate     scenario.Fate
	cause    diagnose.Cause
	migrated bool // they change to another member's accept queue
}

// deploys are the ways; the cure of each odd one is the next.
func deploys() []deploy {
	return []deploy{
		{"closed and opened again", 1, false, (*deployment).reopen, scenario.ResetAfterRequest, diagnose.ListenerClosed, false},
		{"handed over", 1, false, (*deployment).handOver, scenario.Served, diagnose.Healthy, false},
		{"member closed,migrate=0", 2, false, (*deployment).closeOld, scenario.ResetAfterRequest, diagnose.MemberClosed, false},
		{"member closed,migrate=1", 2, true, (*deployment).closeOld, scenario.Served, diagnose.Healthy, true},
	}
}

// TestDeploy replaces a server while clients wait in its accept queue. Their handshakes
// are complete and their requests sent, so to them the old server has begun to serve.
// Closing its listener resets every one of them; handing the descriptor over, or
// tcp_migrate_req among members of SO_REUSEPORT, resets nobody. All counts are exact:
// nothing is under way when the listener is closed.
//
// Source, measured on v6.18: inet_csk_listen_stop (net/ipv4/inet_connection_sock.c),
// reuseport_migrate_sock (net/core/sock_reuseport.c).
func TestDeploy(t *testing.T) {
	t.Parallel()
	for _, way := range deploys() {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			d := newDeployment(t, way)
			e, result := d.play()
			resets := 0
			if way.fate == scenario.ResetAfterRequest {
				resets = d.waiting
			}
			d.checkCounts(e, result, resets)
			d.checkDiagnosis(diagnose.Run(e), result, resets)
			d.checkNext()
			t.Logf("%d of %d waited in the queue that was closed: %v", d.waiting, deployClients, result.Fates)
		})
	}
}

// deployment is a deploy in a lab.
type deployment struct {
	*testing.T
	way            deploy
	client, server *netlab.Host
	sockets        []*net.TCPListener // the old server's
	listeners      []*servers.Listener
	waiting        int // connections in the accept queue of the listener that was closed
}

func newDeployment(t *testing.T, way deploy) *deployment {
	t.Helper()
	d := &deployment{T: t, way: way}
	d.client, d.server = netlab.New(t).Pair()
	if way.migrate {
		d.server.Sysctl("net.ipv4.tcp_migrate_req", "1")
	}
	if way.members == 1 {
		socket, err := d.server.Listen("tcp4", d.address(), 2*deployClients)
		fatal(t, err)
		d.sockets = []*net.TCPListener{socket}
		d.serve(servers.NewListener(socket), true)
		return d
	}
	members, err := servers.ListenMembers(t.Context(), d.server.ListenConfig(), "tcp4", d.address(), way.members)
	fatal(t, err)
	for _, ln := range members {
		d.serve(ln, true)
		fatal(t, ln.SetBacklog(2*deployClients))
	}
	return d
}

func (d *deployment) address() string {
	return netip.AddrPortFrom(d.server.Addrs()[0], frontPort).String()
}

// serve answers whoever comes, or with held set nobody until the listener is released.
func (d *deployment) serve(ln *servers.Listener, held bool) {
	if held {
		ln.Hold()
	}
	d.listeners = append(d.listeners, ln)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello\n") // fails when the client has gone
	})}
	var running sync.WaitGroup
	running.Go(func() { _ = server.Serve(ln) }) // until it is closed
	d.Cleanup(func() {
		_ = server.Close() // its listener may be closed already
		running.Wait()
	})
}

// play lets everybody queue, replaces the server, and gives what was witnessed until
// each client had its fate.
func (d *deployment) play() (e scenario.Evidence, result loadclient.Result) {
	d.Helper()
	recording := witness.Record(d, witness.Config{Interval: beginAndEnd}, d.client, d.server)
	var clients sync.WaitGroup
	clients.Go(func() {
		var err error
		result, err = loadclient.Run(d.Context(), loadclient.Config{
			Target: "http://" + d.address() + "/", Clients: deployClients, Timeout: clientPatience, Control: d.client.Control,
			Decided: func() { e = recording.Stop() },
		})
		if err != nil {
			d.Error(err)
		}
	})
	defer clients.Wait()
	d.awaitQueued()
	length, _, err := d.listeners[0].Queue()
	fatal(d.T, err)
	d.waiting = int(length)
	d.way.replace(d)
	for _, ln := range d.listeners {
		ln.Release()
	}
	clients.Wait()
	return e, result
}

// awaitQueued waits until everybody is in an accept queue and all that the clients had
// to send has arrived. A request that came after the close would draw a second RST.
func (d *deployment) awaitQueued() {
	d.Helper()
	queued := 0
	ok := await(func() bool {
		client := d.client.Counters() // before the server's
		queued = 0
		for _, q := range d.server.AcceptQueues() {
			queued += int(q.Length)
		}
		return queued == deployClients && client["TCPOrigDataSent"] == deployClients && d.server.Counters()["InSegs"] == client["OutSegs"]
	})
	if !ok {
		d.Fatalf("%d of %d clients are in an accept queue after %v, or not all requests have arrived", queued, deployClients, awaitPatience)
	}
}

// closeOld is the end of the old server, or of one of several that share the port.
func (d *deployment) closeOld() { fatal(d.T, d.listeners[0].Close()) }

// reopen is the end of the old server and the start of the new one.
func (d *deployment) reopen() {
	d.closeOld()
	socket, err := d.server.Listen("tcp4", d.address(), 2*deployClients)
	fatal(d.T, err)
	d.serve(servers.NewListener(socket), false)
}

// handOver gives the new process a descriptor of the same socket, as systemd does or a
// parent its child, before the old one closes its own.
func (d *deployment) handOver() {
	file, err := d.sockets[0].File()
	fatal(d.T, err)
	ln, err := net.FileListener(file)
	fatal(d.T, err)
	fatal(d.T, file.Close())
	fatal(d.T, d.listeners[0].Close())
	d.serve(servers.NewListener(ln.(*net.TCPListener)), false)
}

// checkCounts holds what the clients saw against both kernels.
func (d *deployment) checkCounts(e scenario.Evidence, result loadclient.Result, resets int) {
	d.Helper()
	fates := scenario.Fates{}
	for fate, n := range map[scenario.Fate]int{scenario.ResetAfterRequest: resets, scenario.Served: deployClients - resets} {
		if n > 0 {
			fates[fate] = n
		}
	}
	if !maps.Equal(result.Fates, fates) {
		d.Errorf("the fates are %v, want %v", result.Fates, fates)
	}
	migrated := 0
	if d.way.migrated {
		migrated = d.waiting
	}
	for _, c := range []struct {
		host    int
		counter string
		want    int
	}{
		{0, "EstabResets", resets}, {0, "OutRsts", 0},
		{1, "EstabResets", resets}, {1, "OutRsts", resets}, {1, "EmbryonicRsts", 0}, {1, "ListenOverflows", 0},
		{1, "TCPMigrateReqSuccess", migrated}, {1, "TCPMigrateReqFailure", 0}, {1, "PassiveOpens", deployClients},
	} {
		if got := e.Hosts[c.host].Moved()[c.counter]; got != uint64(c.want) {
			d.Errorf("%s at the %s moved by %d, want %d; %d waited in the queue that was closed", c.counter, e.Hosts[c.host].Host, got, c.want, d.waiting)
		}
	}
}

// checkDiagnosis wants the cause named for each client that was reset, and no other.
func (d *deployment) checkDiagnosis(report diagnose.Report, result loadclient.Result, resets int) {
	d.Helper()
	named := map[diagnose.Cause]int{}
	for _, c := range result.Clients {
		f := report.Find(c.Local)
		if f == nil {
			d.Errorf("client %d, from %v, is in no flow", c.Number, c.Local)
			continue
		}
		named[f.Cause]++
		if (f.Cause == diagnose.Healthy) != (c.Fate == scenario.Served) || f.Grade != diagnose.Certain {
			d.Errorf("client %d is %v, and its flow is diagnosed as %s (%s)\n%s", c.Number, c.Fate, f.Cause, f.Grade, explain(*f))
		}
	}
	if resets > 0 && named[d.way.cause] != resets {
		d.Errorf("the flows are diagnosed as %v, want %d of %s\n%s", named, resets, d.way.cause, overview(report))
	}
	if !report.Balanced() {
		d.Errorf("the books do not balance: %+v", report.Summary.Books)
	}
}

// checkNext wants the port to be served after the deploy.
func (d *deployment) checkNext() {
	d.Helper()
	result, err := loadclient.Run(d.Context(), loadclient.Config{
		Target: "http://" + d.address() + "/", Clients: 1, Timeout: clientPatience, Control: d.client.Control,
	})
	fatal(d.T, err)
	if result.Fates[scenario.Served] != 1 {
		d.Errorf("the next client is %v: %s", result.Fates, result.Clients[0].Error)
	}
}
