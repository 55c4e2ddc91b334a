package netlab

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
)

// TB is the part of testing.TB that a lab needs. A program that is not a test can
// bring its own; its Fatalf and Skipf must not return.
type TB interface {
	Helper()
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
	Cleanup(func())
	Output() io.Writer
}

// Lab is a set of hosts that live as long as one test. Any number of labs may
// be alive at once, in one process or many; all use the same addresses. Its
// methods are safe for concurrent use, but those that end a test on failure
// must be called on the test's goroutine.
type Lab struct {
	tb TB

	mu    sync.Mutex
	hosts []*Host
}

// openLabs counts the labs that were made and not closed, for Main's last look.
var openLabs atomic.Int64

// New makes an empty lab that closes itself when the test ends.
//
// Its hosts do not depend on the machine's settings: they start with SYN cookies
// and timestamps on, tcp_abort_on_overflow off, somaxconn and tcp_max_syn_backlog
// 4096, Reno, no remembered peers, and the kernel's defaults of the other sysctls
// that decide about accept queues.
//
// Where namespaces cannot be had the test is skipped, or fails if the
// environment variable CI is set; the message says why and what to type.
func New(tb TB) *Lab {
	tb.Helper()
	if err := available(); err != nil {
		refuse(tb, err)
	}
	lab := &Lab{tb: tb}
	openLabs.Add(1)
	tb.Cleanup(func() {
		openLabs.Add(-1)
		if err := lab.close(); err != nil {
			tb.Errorf("netlab: close: %v", err)
		}
	})
	return lab
}

// Pair makes two hosts joined by one veth pair.
//
//	client 198.18.0.1 ──veth── 198.18.0.2 server
func (l *Lab) Pair() (client, server *Host) {
	l.tb.Helper()
	hosts, err := newPair(l, "client", "server")
	if err != nil {
		l.tb.Fatalf("netlab: make a pair of hosts: %v", err)
	}
	return hosts[0], hosts[1]
}

// Star makes one host a name, each joined by a veth pair to a switch, which is a
// bridge in a namespace of its own. The hosts are numbered from 1 in the order
// of their names; there may be up to 254.
//
//	client 198.18.0.1 ──┐
//	front  198.18.0.2 ──┤ switch
//	backend 198.18.0.3 ─┘
func (l *Lab) Star(names ...string) []*Host {
	l.tb.Helper()
	hosts, err := newStar(l, names)
	if err != nil {
		l.tb.Fatalf("netlab: make a star of hosts: %v", err)
	}
	return hosts
}

// adopt makes the hosts part of the lab, to be closed with it.
func (l *Lab) adopt(hosts ...*Host) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hosts = append(l.hosts, hosts...)
}

// close ends the hosts, last made first, and reports every error.
func (l *Lab) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for _, h := range slices.Backward(l.hosts) {
		if err := h.close(); err != nil {
			errs = append(errs, fmt.Errorf("host %s: %w", h.name, err))
		}
	}
	l.hosts = nil
	return errors.Join(errs...)
}
