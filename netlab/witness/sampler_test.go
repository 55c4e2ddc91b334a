package witness

import (
	"errors"
	"maps"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
	"golang.org/x/sys/unix"
)

// The first and the last sample hold everything, those between what is watched, and each
// differs from the one before.
func TestCounterSamples(t *testing.T) {
	t.Parallel()
	client, server := netlab.New(t).Pair()
	listen(t, server, server.Addr()+":8080", 10)
	rec := Record(t, Config{Interval: time.Millisecond}, client, server)
	before := server.Counters()
	for range 5 {
		dial(t, client, server.Addr()+":8080", 1)
		awaitSample(t, rec, 1, server.Counters()["PassiveOpens"])
	}
	w := rec.Stop().Hosts[1]
	after := server.Counters()
	first, last := w.Counters[0], w.Counters[len(w.Counters)-1]
	if !maps.Equal(first.Counters, before) || !maps.Equal(last.Counters, after) {
		t.Errorf("first sample differs by %v, last by %v", before.Since(first.Counters), after.Since(last.Counters))
	}
	if got := w.Moved()["PassiveOpens"]; got != 5 {
		t.Errorf("PassiveOpens moved by %d, want 5", got)
	}
	var opens []uint64
	for i, s := range w.Counters[1 : len(w.Counters)-1] {
		if s.At < w.Counters[i].At {
			t.Errorf("sample %d is at %v, before the one before at %v", i+1, s.At, w.Counters[i].At)
		}
		if !maps.Equal(s.Counters, s.Counters.Only(Watched()...)) {
			t.Errorf("sample %d has %v, want only what is watched", i+1, s.Counters)
		}
		opens = append(opens, s.Counters["PassiveOpens"])
	}
	// A reading that told nothing new stands before one that did, if there was one.
	if want := []uint64{1, 2, 3, 4, 5}; !slices.Equal(slices.Compact(slices.DeleteFunc(opens, func(n uint64) bool { return n == 0 })), want) {
		t.Errorf("PassiveOpens of the samples are %v, want %v", opens, want)
	}
}

// awaitSample returns when the sampler has looked often enough to know of so many
// passive opens of host i.
func awaitSample(t *testing.T, rec *Recording, i int, opens uint64) {
	t.Helper()
	await(t, "a sample", func() bool {
		rec.sampler.mu.Lock()
		defer rec.sampler.mu.Unlock()
		return rec.sampler.counters[i].last["PassiveOpens"] == opens
	})
}

func TestWatchedCountersExist(t *testing.T) {
	t.Parallel()
	_, server := netlab.New(t).Pair()
	names := Watched()
	if sorted := slices.Sorted(slices.Values(names)); len(slices.Compact(sorted)) != len(names) {
		t.Errorf("Watched names a counter twice: %v", sorted)
	}
	counters := server.Counters()
	for _, name := range names {
		if _, ok := counters[name]; !ok {
			t.Errorf("this kernel has no counter %s", name)
		}
	}
}

// A listener that fills, connection by connection: one sample for each change, and one
// at each end.
func TestQueueSamples(t *testing.T) {
	t.Parallel()
	client, server := netlab.New(t).Pair()
	address := netip.MustParseAddrPort(server.Addr() + ":8080")
	listen(t, server, address.String(), 2)
	rec := Record(t, Config{Interval: time.Millisecond}, server)
	for n := range 3 {
		dial(t, client, address.String(), 1)
		awaitQueue(t, rec, uint32(n+1), 0)
	}
	half(t, client, address)
	awaitQueue(t, rec, 3, 1)
	samples := rec.Stop().Hosts[0].Queues
	if first, last := samples[0], samples[len(samples)-1]; first.SYNQueue != 0 || last.SYNQueue != 0 {
		t.Errorf("the SYN queue holds %d at first and %d in the end, want none", first.SYNQueue, last.SYNQueue)
	}
	var got []scenario.QueueSample
	for _, s := range samples {
		// A look may meet a handshake that is under way, and is one more sample then.
		s.At, s.Inode, s.SYNQueue = 0, 0, 0
		got = append(got, s)
	}
	sample := func(length, drops uint32) scenario.QueueSample {
		return scenario.QueueSample{Listener: address, Length: length, Limit: 2, Drops: drops}
	}
	want := []scenario.QueueSample{sample(0, 0), sample(1, 0), sample(2, 0), sample(3, 0), sample(3, 1)}
	if got = slices.Compact(got); !slices.Equal(got, want) {
		t.Errorf("samples of the queue are\n%+v, want\n%+v", got, want)
	}
}

// awaitQueue returns when the sampler has seen the only listener so.
func awaitQueue(t *testing.T, rec *Recording, length, drops uint32) {
	t.Helper()
	await(t, "a sample of the queue", func() bool {
		rec.sampler.mu.Lock()
		defer rec.sampler.mu.Unlock()
		samples := rec.sampler.queues[0].Samples
		last := samples[len(samples)-1]
		return last.Length == length && last.Drops == drops
	})
}

// Whatever the counters of a sample have, the queue's reading has too, on a machine that is
// busier than it can be: a reading that was held up is left out of both.
func TestQueuesKeepUpWithCounters(t *testing.T) {
	const clients = 400
	client, server := pair(t)
	address := netip.MustParseAddrPort(server.Addr() + ":8080")
	listen(t, server, address.String(), 0)
	dial(t, client, address.String(), 1) // fills the accept queue
	rec := Record(t, Config{Interval: time.Millisecond}, client, server)
	var quit atomic.Bool
	var busy sync.WaitGroup
	for range 4 * runtime.GOMAXPROCS(0) {
		busy.Go(func() {
			for !quit.Load() {
			}
		})
	}
	for range clients {
		half(t, client, address)
	}
	await(t, "all SYNs to be dropped", func() bool { return server.Counters()["ListenDrops"] == clients })
	quit.Store(true)
	busy.Wait()
	w := rec.Stop().Hosts[1]
	for _, c := range w.Counters {
		drops := uint32(0)
		for _, q := range w.Queues {
			if q.At <= c.At {
				drops = q.Drops
			}
		}
		if uint64(drops) < c.Counters["ListenDrops"] {
			t.Errorf("at %v ListenDrops is %d, and the listener is known to have dropped %d", c.At, c.Counters["ListenDrops"], drops)
		}
	}
}

// A SYN queue that fills, client by client, and is emptied by their data: one sample for
// each change, and one at each end.
func TestSYNQueueSamples(t *testing.T) {
	t.Parallel()
	client, server := pair(t)
	ln := listen(t, server, server.Addr()+":8080", 8)
	deferAccept(t, ln)
	address := netip.MustParseAddrPort(ln.Addr().String())
	rec := Record(t, Config{Interval: time.Millisecond}, server)
	var fds []int
	for n := range 3 {
		fds = append(fds, half(t, client, address))
		awaitSYNQueue(t, rec, n+1)
	}
	for n, fd := range fds {
		_, err := unix.Write(fd, []byte("x"))
		must(t, err)
		awaitSYNQueue(t, rec, 2-n)
	}
	var got []int
	for _, s := range rec.Stop().Hosts[0].Queues {
		if s.SYNQueue >= 0 {
			got = append(got, s.SYNQueue)
		}
	}
	// The accept queue grows together with the last three, which is one sample or two.
	if want := []int{0, 1, 2, 3, 2, 1, 0}; !slices.Equal(slices.Compact(got), want) {
		t.Errorf("the SYN queue holds %v, want %v", got, want)
	}
}

// awaitSYNQueue returns when the sampler has seen the SYN queue of the only listener so.
func awaitSYNQueue(t *testing.T, rec *Recording, length int) {
	t.Helper()
	await(t, "a look at the SYN queue", func() bool {
		rec.sampler.mu.Lock()
		defer rec.sampler.mu.Unlock()
		for _, s := range slices.Backward(rec.sampler.queues[0].Samples) {
			if s.SYNQueue >= 0 {
				return s.SYNQueue == length
			}
		}
		return false
	})
}

// The last sample of a listener has the half-open connections of its port.
func TestQueueSampleHasSYNQueue(t *testing.T) {
	t.Parallel()
	client, server := pair(t)
	server.Sysctl("net.ipv4.tcp_abort_on_overflow", "0")
	rec := Record(t, Config{}, server)
	overflow(t, client, server, server.Addr()+":8080", 3)
	queues := rec.Stop().Hosts[0].Queues
	if last := queues[len(queues)-1]; last.SYNQueue != 3 || last.Length != 1 {
		t.Errorf("the last sample is %+v, want 1 waiting and 3 half-open", last)
	}
}

// A listener that was closed during the recording is gone in its last sample.
func TestQueueSamplesOfClosedListener(t *testing.T) {
	t.Parallel()
	client, server := netlab.New(t).Pair()
	ln := listen(t, server, server.Addr()+":8080", 2)
	dial(t, client, ln.Addr().String(), 1)
	want := server.AcceptQueue(8080)
	rec := Record(t, Config{}, server)
	must(t, ln.Close())
	queues := rec.Stop().Hosts[0].Queues
	last := queues[len(queues)-1]
	if got := (netlab.AcceptQueue{Addr: last.Listener, Length: last.Length, Limit: last.Limit, Inode: last.Inode, Drops: last.Drops}); !last.Gone || got != want {
		t.Errorf("the last sample is %+v, want that %v with inode %d is gone", last, want, want.Inode)
	}
}

func TestSysctlsAndAddrs(t *testing.T) {
	t.Parallel()
	client, server := netlab.New(t).Pair()
	server.Sysctl("net.ipv4.tcp_abort_on_overflow", "1")
	rec := Record(t, Config{}, client, server)
	server.AddAddrs(1)
	hosts := rec.Stop().Hosts
	for i, want := range []string{"0", "1"} {
		if got := hosts[i].Sysctls["net.ipv4.tcp_abort_on_overflow"]; got != want {
			t.Errorf("host %s: tcp_abort_on_overflow is %q, want %q", hosts[i].Host, got, want)
		}
	}
	if got, want := hosts[1].Addrs, append(server.Addrs(), server.Addrs6()...); !slices.Equal(got, want) || len(got) != 4 {
		t.Errorf("addresses are %v, want the four %v", got, want)
	}
}

func TestClients(t *testing.T) {
	t.Parallel()
	client, _ := netlab.New(t).Pair()
	rec := Record(t, Config{}, client)
	local, remote := netip.MustParseAddrPort("198.18.0.1:40000"), netip.MustParseAddrPort("198.18.0.2:8080")
	rec.Told("read", local, remote, os.NewSyscallError("read", syscall.ECONNRESET))
	rec.Told("dial", local, remote, nil)
	if got := rec.Stop().Clients; len(got) != 1 {
		t.Fatalf("clients are %+v, want one", got)
	}
	rec.AddClients(scenario.ClientError{Phase: "dial", Text: "i/o timeout"})
	rec.Told("write", local, remote, errors.New("EOF"))
	got := rec.Stop().Clients
	for i := range got {
		got[i].At = 0
	}
	want := []scenario.ClientError{
		{Local: local, Remote: remote, Phase: "read", Errno: "ECONNRESET", Text: "read: connection reset by peer"},
		{Phase: "dial", Text: "i/o timeout"},
		{Local: local, Remote: remote, Phase: "write", Text: "EOF"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("clients are\n%+v, want\n%+v", got, want)
	}
}
