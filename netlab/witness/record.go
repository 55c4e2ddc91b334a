package witness

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// Recording is a run that is being recorded. Its methods are safe for concurrent use.
type Recording struct {
	tb    netlab.TB
	hosts []*netlab.Host
	cfg   Config

	start    time.Time
	mono     time.Duration // CLOCK_MONOTONIC at the start
	sysctls  []map[string]string
	captures []*capture // by host
	sampler  *sampler
	trace    *tracer // nil if there is none
	clients  clientLog

	mu       sync.Mutex
	traceErr error

	once     sync.Once
	evidence scenario.Evidence
	closed   chan error // gives one, when everything is closed after Stop
}

// Record begins to record the hosts and returns when no packet can be missed any more.
// The recording stops with the test, before the hosts are closed, unless Stop was called
// earlier: make the hosts first. It ends the test if it cannot record; without the
// kernel's reasons, which TraceErr explains, it goes on.
//
// It takes some 15 ms, with Config.Trace 40 ms, most of which are grace periods of the
// kernel, and 14 MB of memory for each interface with the defaults.
func Record(tb netlab.TB, cfg Config, hosts ...*netlab.Host) *Recording {
	tb.Helper()
	r, err := record(tb, cfg, hosts)
	if err != nil {
		tb.Fatalf("witness: %v", err)
	}
	tb.Cleanup(r.end)
	return r
}

func record(tb netlab.TB, cfg Config, hosts []*netlab.Host) (*Recording, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	r := &Recording{tb: tb, hosts: hosts, cfg: cfg, closed: make(chan error, 1)}
	if err := r.open(); err != nil {
		return nil, errors.Join(err, r.close())
	}
	r.start, r.mono = bothClocks()
	r.sampler = startSampler(r.start, cfg.Interval, hosts)
	return r, nil
}

// open begins to record packets and to trace, all at once, since each waits for the
// kernel.
func (r *Recording) open() error {
	n := len(r.hosts)
	r.sysctls, r.captures = make([]map[string]string, n), make([]*capture, n)
	errs := make([]error, n)
	inParallel(n+1, func(i int) {
		switch {
		case i < n:
			r.sysctls[i] = r.hosts[i].DecisiveSysctls()
			r.captures[i], errs[i] = openCapture(r.hosts[i], r.cfg)
		case r.cfg.Trace:
			r.trace, r.traceErr = openTracer()
		}
	})
	return errors.Join(errs...)
}

// Start is the instant from which all times of the evidence count.
func (r *Recording) Start() time.Time { return r.start }

// TraceErr says why the evidence has no reasons of the kernel although Config.Trace asks
// for them, or that some of them were lost, which shows after Stop; nil otherwise.
func (r *Recording) TraceErr() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.traceErr
}

// Stop closes the window and gives what was seen in it, one Witnessed a host in the order
// of Record. It first waits until packets that are on their way have arrived, which takes
// some 10 ms. Closing the sockets takes the kernel 30 ms more, for which the end of the
// test waits.
//
// A second call gives the same, with what clients were told in the meantime. Packets and
// samples are shared by all callers and are not to be changed.
func (r *Recording) Stop() scenario.Evidence {
	r.once.Do(func() {
		defer func() { // even if a host does not answer, which ends the test in the middle
			go func() { r.closed <- r.close() }()
		}()
		if err := r.finish(); err != nil {
			r.tb.Errorf("witness: %v", err)
		}
	})
	evidence := r.evidence
	evidence.Clients = r.clients.list()
	return evidence
}

// end stops the recording and waits until everything is closed.
func (r *Recording) end() {
	r.Stop()
	if err := <-r.closed; err != nil {
		r.tb.Errorf("witness: close: %v", err)
	}
}

// finish collects the evidence.
func (r *Recording) finish() error {
	r.sampler.halt()
	errs := []error{settle()}
	end := time.Since(r.start)
	r.sampler.look(true)
	for i, h := range r.hosts {
		w, err := r.witnessed(i, end)
		if err != nil {
			errs = append(errs, fmt.Errorf("host %s: %w", h.Name(), err))
		}
		r.evidence.Hosts = append(r.evidence.Hosts, w)
	}
	r.explain(end)
	return errors.Join(errs...)
}

// explain adds the kernel's reasons to what was seen.
func (r *Recording) explain(end time.Duration) {
	if r.trace == nil {
		return
	}
	hits, err := r.trace.read()
	attribute(inWindow(hits, r.mono, end), r.evidence.Hosts)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.traceErr = err
}

// witnessed is what was seen at host i, but for the kernel's reasons.
func (r *Recording) witnessed(i int, end time.Duration) (scenario.Witnessed, error) {
	h := r.hosts[i]
	w := scenario.Witnessed{
		Host: h.Name(), Addrs: append(h.Addrs(), h.Addrs6()...), Sysctls: r.sysctls[i],
		Counters: r.sampler.counters[i].samples, Queues: r.sampler.queues[i].Samples,
	}
	if r.cfg.Loopback {
		w.Addrs = append(w.Addrs, netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback())
	}
	var err error
	w.Packets, w.LetGo, err = r.captures[i].read(r.start, end)
	return w, err
}

// close lets go of sockets, memory and the trace, all at once, since each waits for the
// kernel.
func (r *Recording) close() error {
	errs := make([]error, len(r.captures)+1)
	inParallel(len(errs), func(i int) {
		switch {
		case i < len(r.captures):
			errs[i] = r.captures[i].close()
		case r.trace != nil:
			errs[i] = r.trace.close()
		}
	})
	return errors.Join(errs...)
}
