package tests

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/diagnose"
	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/rstlab/rstlab/netlab/witness"
	"golang.org/x/sys/unix"
)

// podRole is a server that does some work where it accepts, as one does whose one thread
// both accepts and serves, or that makes a TLS handshake in its accept loop.
var podRole = netlab.Role{Name: "pod", Run: runPod}

func runPod(args []string) error {
	var accept acceptFlags
	var work time.Duration
	flags := flag.NewFlagSet("pod", flag.ContinueOnError)
	accept.register(flags)
	flags.DurationVar(&work, "work", 0, "CPU time that each accept takes")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ln, err := accept.open()
	if err != nil {
		return err
	}
	return http.Serve(workingListener{ln, work}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
}

// workingListener spends CPU time on each connection before the next one is accepted.
type workingListener struct {
	net.Listener
	work time.Duration
}

func (l workingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		err = spendCPU(l.work)
	}
	return conn, err
}

// spendCPU returns when this thread has run for so long, however long that takes.
func spendCPU(work time.Duration) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var begin, now unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &begin)
	for err == nil && now.Nano()-begin.Nano() < int64(work) {
		err = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now)
	}
	return err
}

// A pod is limited for each period that is Kubernetes' own. With 20m it has 2 ms of CPU time
// in 100 ms, which is one accept.
const (
	podPeriod  = 100 * time.Millisecond
	podWork    = 2 * time.Millisecond
	podClients = 64
	smallQueue = podClients/2 - 1 // its backlog; the queue holds one more
)

// pod is a run: the CPU limit and the backlog of a server that 64 clients come to at once.
type pod struct {
	name    string
	quota   time.Duration // in each podPeriod
	backlog int
	resets  bool // do resets appear?
}

// pods has the odd one first, and then each of its two cures.
func pods() []pod {
	return []pod{
		{"limit=20m,small backlog", 2 * time.Millisecond, smallQueue, true},
		{"limit=20m,large backlog", 2 * time.Millisecond, podClients, false},
		{"limit=2000m,small backlog", 2 * podPeriod, smallQueue, false},
	}
}

// TestThrottledPod limits the CPU of a server as Kubernetes does. While the kernel
// throttles it, its accept loop stands still and its accept queue is full. A second
// later the clients whose SYNs were dropped try again, more of them than the few accepts
// in between have made room for, and the rest is reset. With a larger backlog, or more
// CPU time, nobody is.
//
// Half of the clients find no room at first. Under the limit there are some ten accepts in
// the second until they return, which the kernel guarantees and no load can change, so
// that resets must come. Without it all of the queue is accepted by then: it takes 64 ms
// of that second.
//
// Where no cgroup can be made it is skipped, even as root and with CI set: CI may run in
// a container, which mostly gets the cgroup file system read-only.
func TestThrottledPod(t *testing.T) {
	t.Parallel()
	netlab.New(t) // where no lab can be had, says so first
	if err := netlab.CPULimitAvailable(); err != nil {
		t.Skip(err)
	}
	for _, p := range pods() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			newThrottling(t, p).play()
		})
	}
}

// throttling is a pod in a lab.
type throttling struct {
	*testing.T
	pod
	client, host *netlab.Host
	server       *netlab.Proc
}

func newThrottling(t *testing.T, p pod) *throttling {
	t.Helper()
	s := &throttling{T: t, pod: p}
	s.client, s.host = netlab.New(t).Pair()
	s.host.Sysctl(abortKey, "1")
	s.host.Sysctl("net.ipv4.tcp_syncookies", "0") // a cookie's overflow is silent, see TestPage
	s.server = s.host.StartRole(podRole.Name, "-listen", s.address(), "-backlog", fmt.Sprint(p.backlog), "-work", podWork.String()).WaitListening(frontPort)
	if !await(func() bool { return s.host.AcceptQueue(frontPort).Limit == uint32(p.backlog) }) {
		t.Fatalf("the server listens with %v, want limit %d", s.host.AcceptQueue(frontPort), p.backlog)
	}
	s.server.LimitCPU(p.quota, podPeriod)
	return s
}

func (s *throttling) address() string {
	return netip.AddrPortFrom(s.host.Addrs()[0], frontPort).String()
}

// play lets the clients come and checks what became of them.
func (s *throttling) play() {
	var e scenario.Evidence
	var result loadclient.Result
	var stat netlab.CPUStat
	recording := witness.Record(s, witness.Config{Interval: beginAndEnd}, s.client, s.host)
	var clients sync.WaitGroup
	defer clients.Wait()
	s.burst(func() {
		clients.Go(func() {
			var err error
			// One thread: of two SYNs that two CPUs take up at once, both may find the last place.
			result, err = loadclient.Run(s.Context(), withEngine(loadclient.Epoll, s.client, loadclient.Config{
				Target: "http://" + s.address() + "/", Clients: podClients, Timeout: clientPatience,
				Decided: func() { e = recording.Stop() },
			}))
			if err != nil {
				s.Error(err)
			}
		})
	})
	if s.quota < podPeriod {
		stat = s.throttled()
	}
	clients.Wait()
	if s.quota >= podPeriod {
		stat = s.server.CPUStat()
	}
	s.check(e, result, stat)
}

// burst lets the clients start and waits until each has called connect.
func (s *throttling) burst(start func()) {
	s.Helper()
	burstGate.Lock()
	defer burstGate.Unlock()
	start()
	if !await(func() bool { return s.client.Counters()["ActiveOpens"] == podClients }) {
		s.Errorf("not every connect had begun after %v", awaitPatience)
	}
}

// throttled waits until the limit has done what it does: resets have come, or else
// everybody is in the accept queue or accepted. Then it raises the limit, or
// the few accepts in a second would go on for six more and change nothing.
func (s *throttling) throttled() (stat netlab.CPUStat) {
	s.Helper()
	var counters scenario.Counters
	ok := await(func() bool {
		stat, counters = s.server.CPUStat(), s.host.Counters()
		decided := counters["PassiveOpens"] == podClients
		if s.resets {
			decided = counters["EmbryonicRsts"] > 0
		}
		return decided && stat.Throttled > 0
	})
	if !ok {
		s.Errorf("the pod was throttled in %d of %d periods, and after %v the counters are %v", stat.Throttled, stat.Periods, awaitPatience, counters.Only(scenario.OverflowCounters()...))
	}
	s.server.LimitCPU(2*podPeriod, podPeriod)
	return stat
}

// check holds what the clients saw against the kernels, the diagnosis and the limit.
func (s *throttling) check(e scenario.Evidence, result loadclient.Result, stat netlab.CPUStat) {
	s.Helper()
	server, resets := e.Hosts[1].Moved(), result.Fates[scenario.Reset]
	s.Logf("%s: %v; throttled in %d of %d periods, for %v; %v",
		s.name, result.Fates, stat.Throttled, stat.Periods, stat.ThrottledFor.Round(time.Millisecond), server.Only(scenario.OverflowCounters()...))
	if (resets > 0) != s.resets || result.Fates[scenario.Served] != podClients-resets {
		s.Errorf("the fates are %v, want resets: %v, and everybody else served", result.Fates, s.resets)
	}
	if got := server["EmbryonicRsts"]; got != uint64(resets) {
		s.Errorf("EmbryonicRsts at the server moved by %d, and %d clients were reset", got, resets)
	}
	if got := e.Hosts[0].Moved()["EstabResets"]; got != uint64(resets) {
		s.Errorf("EstabResets at the client moved by %d, and %d clients were reset", got, resets)
	}
	if got := server["ListenOverflows"]; s.backlog >= podClients && got != 0 {
		s.Errorf("ListenOverflows moved by %d, and the accept queue has room for everybody", got)
	}
	if limited := s.quota < podPeriod; limited != (stat.Throttled > 0) {
		s.Errorf("the pod was throttled in %d of %d periods, want some: %v", stat.Throttled, stat.Periods, limited)
	}
	s.checkDiagnosis(diagnose.Run(e), result)
}

func (s *throttling) checkDiagnosis(report diagnose.Report, result loadclient.Result) {
	s.Helper()
	if s.resets {
		checkStory(s.T, report, result)
	}
	for _, f := range report.Flows {
		if f.Cause == diagnose.AcceptOverflowAbort && !s.resets {
			s.Errorf("a flow is diagnosed as %s, and nobody was reset\n%s", f.Cause, explain(f))
		}
	}
	if !report.Balanced() {
		s.Errorf("the books do not balance: %+v", report.Summary.Books)
	}
}
