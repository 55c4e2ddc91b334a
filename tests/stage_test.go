package tests

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
)

const abortKey = "net.ipv4.tcp_abort_on_overflow"

// stage is a lab with the front and the backend running in it. In the rows about
// the front both are on one host, as in the story; in those about the backend each
// has its own, so that counters tell the hops apart.
type stage struct {
	row                    row
	client, front, backend *netlab.Host
}

func newStage(t *testing.T, r row) *stage {
	lab := netlab.New(t)
	s := &stage{row: r}
	if r.hop == "front" {
		s.client, s.front = lab.Pair()
		s.backend = s.front
	} else {
		hosts := lab.Star("client", "front", "backend")
		s.client, s.front, s.backend = hosts[0], hosts[1], hosts[2]
	}
	s.overflowing().Sysctl(abortKey, r.abortValue())

	slowAccept := []string{"-backlog", fmt.Sprint(r.backlog), "-pace", r.pace.String()}
	backendAddress := fmt.Sprintf("%s:%d", s.backend.Addr(), backendPort)
	frontArgs := []string{"-listen", fmt.Sprintf(":%d", frontPort), "-backend", backendAddress, "-timeout", frontPatience.String()}
	backendArgs := []string{"-listen", backendAddress}
	if r.hop == "front" {
		frontArgs = append(append(frontArgs, "-pool", "4"), slowAccept...)
	} else {
		backendArgs = append(backendArgs, slowAccept...)
	}
	s.backend.StartRole(backendRole.Name, backendArgs...).WaitListening(backendPort)
	s.front.StartRole(frontRole.Name, frontArgs...).WaitListening(frontPort)
	s.awaitLimit(t)
	return s
}

// listenPatience bounds the wait for a server's second listen(2), which takes
// milliseconds.
const listenPatience = 10 * time.Second

// awaitLimit waits for the second listen(2) of the server, which sets its backlog.
func (s *stage) awaitLimit(t *testing.T) {
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	timeout := time.After(listenPatience)
	for {
		limit := s.overflowing().AcceptQueue(s.overflowingPort()).Limit
		if limit == uint32(s.row.backlog) {
			return
		}
		select {
		case <-again.C:
		case <-timeout:
			t.Fatalf("the %s's accept queue has limit %d after %v; the row wants %d: look at its backlog and at net.core.somaxconn",
				s.row.hop, limit, listenPatience, s.row.backlog)
		}
	}
}

// overflowing is the host whose accept queue is in question.
func (s *stage) overflowing() *netlab.Host {
	if s.row.hop == "front" {
		return s.front
	}
	return s.backend
}

func (s *stage) overflowingPort() int {
	if s.row.hop == "front" {
		return frontPort
	}
	return backendPort
}

// observation is what a row left for the witnesses: what each client saw, what
// each host's kernel counted, and what each listener dropped.
type observation struct {
	Row    string            `json:"row"`
	Result loadclient.Result `json:"result"`

	Client  scenario.Counters `json:"client"` // what moved on each host
	Front   scenario.Counters `json:"front"`
	Backend scenario.Counters `json:"backend"` // the same as Front where they share a host

	FrontQueue   netlab.AcceptQueue `json:"front_queue"`
	BackendQueue netlab.AcceptQueue `json:"backend_queue"`

	// The knobs as the kernel and the swarm really had them.
	Abort  string        `json:"tcp_abort_on_overflow"`
	Limit  uint32        `json:"accept_queue_limit"`
	Spread time.Duration `json:"spread_ns"` // from the run's start to the last client's

	row row
}

// burstGate lets one burst out at a time: rows run side by side, but a burst that
// shares its CPUs with another is no burst any more.
var burstGate sync.Mutex

// swarm runs the row's clients and calls decided when all have their fates. A burst
// holds the gate until the kernel has seen every client's connect.
func (s *stage) swarm(t *testing.T, decided func()) loadclient.Result {
	config := loadclient.Config{
		Target:  fmt.Sprintf("http://%s:%d/", s.front.Addr(), frontPort),
		Clients: s.row.clients, Gap: s.row.gap, Timeout: clientPatience, Control: s.client.Control,
		Decided: decided,
	}
	ended := make(chan struct{})
	var watch sync.WaitGroup
	if s.row.gap == 0 {
		burstGate.Lock()
		watch.Go(func() {
			defer burstGate.Unlock()
			s.awaitConnects(ended)
		})
	}
	result, err := loadclient.Run(t.Context(), config)
	close(ended)
	watch.Wait()
	if err != nil {
		t.Fatalf("run the swarm: %v", err)
	}
	return result
}

// awaitConnects returns when all clients have sent their first SYN, or have ended.
func (s *stage) awaitConnects(ended <-chan struct{}) {
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for s.client.Counters()["ActiveOpens"] < uint64(s.row.clients) {
		select {
		case <-again.C:
		case <-ended:
			return
		}
	}
}

// play runs the row's swarm and gathers what the witnesses saw. They stop looking
// before the connections are closed, which moves counters of its own.
func (s *stage) play(t *testing.T) observation {
	o := observation{Row: s.row.name(), row: s.row}
	client, front, backend := s.client.Counters(), s.front.Counters(), s.backend.Counters()
	o.Result = s.swarm(t, func() {
		// A client that gave up may still knock. What the listeners and the
		// namespaces counted belongs together if no listener moved meanwhile.
		for same := false; !same; {
			o.FrontQueue, o.BackendQueue = s.front.AcceptQueue(frontPort), s.backend.AcceptQueue(backendPort)
			o.Client = s.client.Counters().Since(client)
			o.Front = s.front.Counters().Since(front)
			o.Backend = s.backend.Counters().Since(backend)
			same = o.FrontQueue.Drops == s.front.AcceptQueue(frontPort).Drops &&
				o.BackendQueue.Drops == s.backend.AcceptQueue(backendPort).Drops
		}
	})
	o.Limit = s.overflowing().AcceptQueue(s.overflowingPort()).Limit
	for _, c := range o.Result.Clients {
		o.Spread = max(o.Spread, c.Started)
	}
	abort, err := s.overflowing().ReadSysctl(abortKey)
	if err != nil {
		t.Fatal(err)
	}
	o.Abort = abort
	return o
}

// saveOnFailure keeps what was observed for a failed test, if go test was told to
// keep artifacts.
func (o observation) saveOnFailure(t *testing.T) {
	if !t.Failed() {
		return
	}
	if kept := flag.Lookup("test.artifacts"); kept.Value.String() != "true" {
		t.Log("to keep every client's record, run with -artifacts (and -outputdir, a folder that exists)")
		return
	}
	text, err := json.MarshalIndent(o, "", "\t")
	if err != nil {
		t.Errorf("encode the observation: %v", err)
		return
	}
	name := strings.NewReplacer("/", "_", "=", "-", ",", "_").Replace(t.Name()) + ".json"
	path := filepath.Join(t.ArtifactDir(), name)
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Errorf("save the observation: %v", err)
	}
	t.Logf("every client's record is in %s", path)
}
