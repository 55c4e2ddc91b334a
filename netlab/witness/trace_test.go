package witness

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"sync"
	"testing"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
	"golang.org/x/sys/unix"
)

// needTrace skips where the kernel does not tell its reasons.
func needTrace(tb testing.TB) {
	tb.Helper()
	if err := TraceAvailable(); err != nil {
		tb.Skip(err)
	}
}

// withoutTimes gives the reasons ordered by client and event, without their times.
func withoutTimes(reasons []scenario.KernelReason) []scenario.KernelReason {
	reasons = slices.Clone(reasons)
	for i := range reasons {
		reasons[i].At = 0
	}
	slices.SortFunc(reasons, func(a, b scenario.KernelReason) int {
		return cmp.Or(a.Remote.Compare(b.Remote), cmp.Compare(b.Event, a.Event))
	})
	return reasons
}

// The kernel names its reason for each RST of an overflow, and for the ACK it threw
// away; the client's host has nothing to say.
func TestTraceOfOverflow(t *testing.T) {
	for _, listener := range []string{"198.18.0.2:8080", "0.0.0.0:8080", "[::]:8080"} {
		t.Run("listener="+listener, func(t *testing.T) {
			t.Parallel()
			client, server := netlab.New(t).Pair()
			needTrace(t)
			server.Sysctl("net.ipv4.tcp_abort_on_overflow", "1")
			rec := Record(t, Config{Trace: true}, client, server)
			lost := overflow(t, client, server, listener, 5)
			evidence := rec.Stop()
			must(t, rec.TraceErr())
			checkOverflow(t, evidence, netip.MustParseAddrPort(server.Addr()+":8080"), lost)
		})
	}
}

func checkOverflow(t *testing.T, evidence scenario.Evidence, local netip.AddrPort, lost []netip.AddrPort) {
	t.Helper()
	var want []scenario.KernelReason
	for _, remote := range lost {
		want = append(want,
			scenario.KernelReason{Event: sendReset, Reason: "INVALID_SYN", State: "TCP_LISTEN", Local: local, Remote: remote},
			scenario.KernelReason{Event: freeSKB, Reason: "TCP_LISTEN_OVERFLOW", Local: local, Remote: remote})
	}
	server := evidence.Hosts[1]
	if got, want := withoutTimes(server.Reasons), withoutTimes(want); !slices.Equal(got, want) {
		t.Errorf("the server's reasons are\n%+v, want\n%+v", got, want)
	}
	if got := evidence.Hosts[0].Reasons; got == nil || len(got) != 0 {
		t.Errorf("the client's reasons are %+v, want an empty list", got)
	}
	for _, r := range server.Reasons {
		if end := server.Counters[len(server.Counters)-1].At; r.At < 0 || r.At > end {
			t.Errorf("a reason is of %v, want 0 to %v", r.At, end)
		}
	}
}

// A closed port's RST, in either family, is told from that of another lab with the same
// addresses.
func TestTraceIsOfThisLab(t *testing.T) {
	t.Parallel()
	client, server := netlab.New(t).Pair()
	otherClient, otherServer := pair(t)
	needTrace(t)
	rec := Record(t, Config{Trace: true}, client, server)
	port := netip.MustParseAddrPort(server.Addr() + ":8081")
	fd := half(t, client, port)
	for range 10 {
		half(t, otherClient, netip.MustParseAddrPort(otherServer.Addr()+":8081"))
	}
	if _, err := client.DialContext(t.Context(), "tcp", "["+server.Addr6()+"]:8081"); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("dial of a closed port: %v, want %v", err, unix.ECONNREFUSED)
	}
	evidence := rec.Stop()
	must(t, rec.TraceErr())
	resets := slices.DeleteFunc(evidence.Hosts[1].Reasons, func(r scenario.KernelReason) bool { return r.Event != sendReset })
	if len(resets) != 2 {
		t.Fatalf("%d resets, want 2: %+v", len(resets), resets)
	}
	want := scenario.KernelReason{Event: sendReset, Reason: "NO_SOCKET", State: "UNKNOWN", Local: port, Remote: localOf(t, fd)}
	if resets[0].At = 0; resets[0] != want {
		t.Errorf("the first reset is %+v, want %+v", resets[0], want)
	}
	if got := resets[1].Local.String(); got != "["+server.Addr6()+"]:8081" {
		t.Errorf("the second reset is of %s, want the closed port of IPv6", got)
	}
}

// A segment that an overflowing listener keeps, with tcp_abort_on_overflow off, causes no
// RST, and nothing tells the kernel's reason from one of another lab: it is left out.
func TestTraceOfKept(t *testing.T) {
	t.Parallel()
	client, server := pair(t)
	needTrace(t)
	rec := Record(t, Config{Trace: true}, client, server)
	overflow(t, client, server, server.Addr()+":8080", 1)
	evidence := rec.Stop()
	must(t, rec.TraceErr())
	if got := evidence.Hosts[1].Reasons; got == nil || len(got) != 0 {
		t.Errorf("the server's reasons are %+v, want an empty list", got)
	}
}

// Stop leaves no trace instance of this process behind.
func TestTraceIsRemoved(t *testing.T) {
	needTrace(t)
	client, _ := netlab.New(t).Pair()
	rec := Record(t, Config{Trace: true}, client)
	name := rec.trace.name
	rec.Stop()
	err := <-rec.closed
	rec.closed <- nil // for the end of the test
	must(t, err)
	root, err := mountTracefs()
	must(t, err)
	defer unix.Close(root)
	if text, err := readAt(root, name+"/trace_clock"); !errors.Is(err, unix.ENOENT) {
		t.Errorf("instance %s is still there: %q, %v", name, text, err)
	}
}

// A child process that is being started has copies of every descriptor until its exec, for
// which the kernel does not remove the instance: the tracer waits until it is over.
func TestTraceIsRemovedBesideStarts(t *testing.T) {
	needTrace(t)
	stop := make(chan struct{})
	var starts sync.WaitGroup
	for range 3 {
		starts.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					if err := exec.Command("true").Run(); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	for range 20 {
		if err := TraceAvailable(); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	starts.Wait()
}

// The instance of a process that was killed is swept away by the next tracer.
func TestSweep(t *testing.T) {
	needTrace(t)
	root, err := mountTracefs()
	must(t, err)
	defer unix.Close(root)
	const nobodyHas = 1 << 30 // beyond any PID
	dead := fmt.Sprintf("%s%d-1", instancePrefix, nobodyHas)
	must(t, unix.Mkdirat(root, dead, 0o700))
	must(t, TraceAvailable())
	if _, err := readAt(root, dead+"/trace_clock"); !errors.Is(err, unix.ENOENT) {
		t.Errorf("instance %s: %v, want it gone", dead, err)
	}
}

func TestExplainTracefs(t *testing.T) {
	t.Parallel()
	for errno, want := range map[unix.Errno]string{
		unix.EPERM:  "open the trace file system: it is for the machine's own root, not that of a user namespace or container; run as root: go test -exec 'sudo -E' ./...: operation not permitted",
		unix.ENODEV: "open the trace file system: this kernel has none (CONFIG_TRACING): no such device",
		unix.ENOSYS: "open the trace file system: kernels before 5.2 cannot mount it out of sight: function not implemented",
		unix.EBUSY:  "open the trace file system: the kernel does not allow it: device or resource busy",
	} {
		if got := explainTracefs(errno); got.Error() != want || !errors.Is(got, errno) {
			t.Errorf("%d: %q, want %q", errno, got, want)
		}
	}
}
