package netlab

import (
	"errors"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Host is one network namespace of a lab with an interface eth0. It is closed
// with its lab. Its methods are safe for concurrent use.
type Host struct {
	lab    *Lab
	name   string
	number int // its place in the subnet, from 1; 0 for the switch
	ns     netns.NsHandle

	nextSource atomic.Uint64 // counts dials, to spread them over the addresses
	adding     sync.Mutex    // held while addresses are added

	mu       sync.Mutex
	addrs    []netip.Addr // IPv4, the main one first
	addrs6   []netip.Addr // IPv6, likewise
	diag     *diagSocket
	counters *counterFiles
	procs    []*Proc
	closers  []func() error // of what else belongs to the host
	closed   bool
}

// Name is the host's name in its lab.
func (h *Host) Name() string { return h.name }

// Addr is the host's main IPv4 address as text, such as "198.18.0.2".
func (h *Host) Addr() string { return h.Addrs()[0].String() }

// Addr6 is the host's main IPv6 address as text, such as "2001:2::2". In an address
// with a port it needs brackets; net.JoinHostPort puts them.
func (h *Host) Addr6() string { return h.Addrs6()[0].String() }

// Addrs lists the host's IPv4 addresses, the main one first.
func (h *Host) Addrs() []netip.Addr {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]netip.Addr(nil), h.addrs...)
}

// Addrs6 lists the host's IPv6 addresses, the main one first.
func (h *Host) Addrs6() []netip.Addr {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]netip.Addr(nil), h.addrs6...)
}

// Do runs fn on a thread that is in the host's namespace and returns its error.
//
// What fn opens there, sockets and files of /proc/thread-self/net among them,
// belongs to the host for good and can be used from anywhere. Goroutines that fn
// starts are not in the namespace.
func (h *Host) Do(fn func() error) error { return within(h.ns, fn) }

// nsFile is a second descriptor of the namespace, for a child process to inherit.
func (h *Host) nsFile() (*os.File, error) {
	fd, err := unix.FcntlInt(uintptr(h.ns), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(fd), "netns"), nil
}

// close ends the host's processes and lets go of the namespace. The kernel then
// removes its links behind our back, which takes it some 20 ms.
func (h *Host) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	var errs []error
	for _, p := range h.procs {
		errs = append(errs, p.kill())
	}
	if h.diag != nil {
		errs = append(errs, h.diag.close())
	}
	if h.counters != nil {
		errs = append(errs, h.counters.close())
	}
	for _, closeIt := range h.closers {
		errs = append(errs, closeIt())
	}
	errs = append(errs, os.NewSyscallError("close", h.ns.Close()))
	return errors.Join(errs...)
}
