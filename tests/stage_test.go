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
	engine                 loadclient.Engine
	server                 *netlab.Proc // whose accept queue is in question
}

func newStage(t *testing.T, r row) *stage { return newStageOn(t, t, r) }

// newStageOn makes the lab on a test that may also keep what the programs print.
func newStageOn(t *testing.T, tb netlab.TB, r row) *stage {
	lab := netlab.New(tb)
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
	backend := s.backend.StartRole(backendRole.Name, backendArgs...).WaitListening(backendPort)
	front := s.front.StartRole(frontRole.Name, frontArgs...).WaitListening(frontPort)
	s.server = backend
	if r.hop == "front" {
		s.server = front
	}
	s.awaitLimit(t)
	return s
}

// awaitLimit waits for the second listen(2) of the server, which sets its backlog.
func (s *stage) awaitLimit(t *testing.T) {
	t.Helper()
	var limit uint32
	ok := await(func() bool {
		limit = s.overflowing().AcceptQueue(s.overflowingPort()).Limit
		return limit == uint32(s.row.backlog)
	})
	if !ok {
		somaxconn, err := s.overflowing().ReadSysctl("net.core.somaxconn")
		fatal(t, err)
		t.Fatalf("the %s's accept queue has limit %d, and the row wants %d: look at the backlog it was started with and at net.core.somaxconn, which is %s",
			s.row.hop, limit, s.row.backlog, somaxconn)
	}
}

// awaitPatience bounds the wait for something that takes milliseconds.
const awaitPatience = 5 * time.Second

// await waits for a condition of the kernel's, which sends no event for it, and tells
// whether it came.
func await(condition func() bool) bool {
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for timeout := time.After(awaitPatience); !condition(); {
		select {
		case <-again.C:
		case <-timeout:
			return false
		}
	}
	return true
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

	// The knobs as the kernel and the swarm really had them; the backlog shows as the
	// limit of the queue.
	Abort  string        `json:"tcp_abort_on_overflow"`
	Spread time.Duration `json:"spread_ns"` // from the run's start to the last client's

	row row
}

// burstGate lets one burst out at a time: rows run side by side, but a burst that
// shares its CPUs with another is no burst any more.
var burstGate sync.Mutex

// swarm runs the row's clients. When all have their fates, and before their
// connections are closed, it calls decided, on the test's goroutine. A burst meets a
// server that accepts nobody until all have knocked: otherwise a burst that a busy
// machine stretches would find room, since the server accepts all the while.
func (s *stage) swarm(t *testing.T, decided func()) (result loadclient.Result) {
	allDecided, looked := make(chan struct{}), make(chan struct{})
	config := withEngine(s.engine, s.client, loadclient.Config{
		Target:  fmt.Sprintf("http://%s:%d/", s.front.Addr(), frontPort),
		Clients: s.row.clients, Gap: s.row.gap, Timeout: clientPatience,
		Decided: func() {
			close(allDecided)
			<-looked
		},
	})
	var run sync.WaitGroup
	defer run.Wait()
	defer sync.OnceFunc(func() { close(looked) })()
	if s.row.gap == 0 {
		burstGate.Lock()
		s.server.Pause()
	}
	failed := make(chan error, 1)
	run.Go(func() {
		var err error
		if result, err = loadclient.Run(t.Context(), config); err != nil {
			failed <- err
		}
	})
	if s.row.gap == 0 {
		s.awaitConnects(t, s.client)
		burstGate.Unlock()
		if s.row.hop == "backend" {
			s.awaitConnects(t, s.front)
		}
		s.server.Resume()
	}
	select {
	case <-allDecided:
		decided()
	case err := <-failed:
		t.Fatalf("run the swarm: %v", err)
	}
	return result
}

// awaitConnects waits until the kernel has seen every client of the hop call connect.
func (s *stage) awaitConnects(t *testing.T, from *netlab.Host) {
	t.Helper()
	var begun uint64
	ok := await(func() bool {
		begun = from.Counters()["ActiveOpens"]
		return begun >= uint64(s.row.clients)
	})
	if !ok {
		t.Errorf("%d of %d connects had begun on host %s after %v", begun, s.row.clients, from.Name(), awaitPatience)
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
		atRest := false
		await(func() bool {
			o.FrontQueue, o.BackendQueue = s.front.AcceptQueue(frontPort), s.backend.AcceptQueue(backendPort)
			o.Client = s.client.Counters().Since(client)
			o.Front = s.front.Counters().Since(front)
			o.Backend = s.backend.Counters().Since(backend)
			atRest = o.FrontQueue.Drops == s.front.AcceptQueue(frontPort).Drops &&
				o.BackendQueue.Drops == s.backend.AcceptQueue(backendPort).Drops
			return atRest && o.settled()
		})
		if !atRest {
			t.Errorf("the listeners did not come to rest within %v", awaitPatience)
		}
	})
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

// overflow is what the row is about: the counters of the host whose accept queue is
// in question, those of its clients' host, and the queue.
func (o observation) overflow() (server, peer scenario.Counters, queue netlab.AcceptQueue) {
	if o.row.hop == "front" {
		return o.Front, o.Client, o.FrontQueue
	}
	return o.Backend, o.Front, o.BackendQueue
}

// saveOnFailure keeps what was observed for a failed test, if go test was told to
// keep artifacts.
func (o observation) saveOnFailure(t *testing.T) {
	if !t.Failed() || !keepsArtifacts(t) {
		return
	}
	text, err := json.MarshalIndent(o, "", "\t")
	if err != nil {
		t.Errorf("encode the observation: %v", err)
		return
	}
	path := filepath.Join(t.ArtifactDir(), artifactName(t, "json"))
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Errorf("save the observation: %v", err)
	}
	t.Logf("every client's record is in %s", path)
}

// keepsArtifacts tells whether go test was told to keep artifacts, and else says how.
func keepsArtifacts(t *testing.T) bool {
	t.Helper()
	if artifactsKept() {
		return true
	}
	t.Log("to keep the evidence, run with -artifacts (and -outputdir, a folder that exists)")
	return false
}

func artifactsKept() bool { return flag.Lookup("test.artifacts").Value.String() == "true" }

// artifactName is the test's name as the name of a file.
func artifactName(t *testing.T, extension string) string {
	return strings.NewReplacer("/", "_", "=", "-", ",", "_").Replace(t.Name()) + "." + extension
}
