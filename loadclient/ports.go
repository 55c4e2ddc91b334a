package loadclient

import (
	"fmt"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// manyClients of one source address get explicit ports. The kernel chooses from half of
// the ephemeral ports first, some 14,000, and needs a millisecond for each connect beyond.
//
// Source, checked on v6.18: __inet_hash_connect (net/ipv4/inet_hashtables.c).
const manyClients = 10_000

// The explicit ports: all that need no privilege.
const (
	firstPort = 1024
	allPorts  = 1<<16 - firstPort
)

// ports binds clients' sockets. It is safe for concurrent use.
type ports struct {
	sources  []netip.Addr // at least one; the zero address: the kernel chooses
	explicit bool
	next     []atomic.Uint32 // by source, counts explicit ports from firstPort
}

// checkPorts refuses more clients than there are ports for them.
func (c Config) checkPorts() error {
	clients, sources := c.ownClients(), max(1, len(c.Sources))
	if c.Dial == nil && clients > sources*allPorts {
		return fmt.Errorf("%d clients need more ports than the %d of each source address: give %d addresses as Sources, or use fewer clients",
			clients, allPorts, (clients+allPorts-1)/allPorts)
	}
	return nil
}

// newPorts lets the shards of a run begin apart, so that they seldom meet.
func newPorts(cfg Config) *ports {
	p := &ports{sources: cfg.Sources}
	if len(p.sources) == 0 {
		p.sources = []netip.Addr{{}}
	}
	p.explicit = cfg.Waves.Clients()/len(p.sources) > manyClients
	p.next = make([]atomic.Uint32, len(p.sources))
	for i := range p.next {
		p.next[i].Store(uint32(allPorts * cfg.Shard / cfg.Shards))
	}
	return p
}

// bind gives a client's socket its local address, client i the source i mod their number,
// and where there are many a port.
func (p *ports) bind(fd, client int) error {
	which := client % len(p.sources)
	source := p.sources[which]
	if !p.explicit {
		if !source.IsValid() {
			return nil
		}
		if err := choosePortAtConnect(fd); err != nil {
			return err
		}
		return bindError(bindSocket(fd, netip.AddrPortFrom(source, 0)))
	}
	if !source.IsValid() {
		var err error
		if source, err = anyAddress(fd); err != nil {
			return err
		}
	}
	var errno syscall.Errno
	for range allPorts {
		port := firstPort + (p.next[which].Add(1)-1)%allPorts
		if errno = bindSocket(fd, netip.AddrPortFrom(source, uint16(port))); errno != unix.EADDRINUSE {
			break // no port that somebody else has
		}
	}
	return bindError(errno)
}

func bindError(errno syscall.Errno) error {
	if errno == 0 {
		return nil
	}
	return os.NewSyscallError("bind", errno)
}

// anyAddress is the wildcard address of the socket's family.
func anyAddress(fd int) (netip.Addr, error) {
	domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if domain == unix.AF_INET6 {
		return netip.IPv6Unspecified(), os.NewSyscallError("getsockopt", err)
	}
	return netip.IPv4Unspecified(), os.NewSyscallError("getsockopt", err)
}

// choosePortAtConnect lets sockets that are bound to an address share a port,
// as long as they go to different places.
//
// Source, checked on v6.18: IP_BIND_ADDRESS_NO_PORT (ip(7)), which IPv6 sockets
// take at the same level.
func choosePortAtConnect(fd int) error {
	return os.NewSyscallError("setsockopt IP_BIND_ADDRESS_NO_PORT",
		unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1))
}
