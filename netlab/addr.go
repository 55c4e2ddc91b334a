package netlab

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// The lab's addresses are those set aside for benchmarks (RFC 2544 and RFC 5180),
// so that an address in a log can't be mistaken for somebody's machine.
// Address j of host i is 198.18.j.i and 2001:2::j:i; its main address has j = 0.
func addr4(host, j int) netip.Addr {
	return netip.AddrFrom4([4]byte{198, 18, byte(j), byte(host)})
}

func addr6(host, j int) netip.Addr {
	return netip.AddrFrom16([16]byte{0x20, 0x01, 0, 2, 13: byte(j), 15: byte(host)})
}

const (
	prefixLen4 = 16
	prefixLen6 = 64
)

// AddAddrs gives the host n more addresses in each family. One address holds some
// 28,000 connections to one port of a server; DialContext takes all addresses of the
// host in turn, and loadclient does with Config.Sources.
func (h *Host) AddAddrs(n int) {
	h.lab.tb.Helper()
	if err := h.addMoreAddrs(n); err != nil {
		h.lab.tb.Fatalf("netlab: host %s: %v", h.name, err)
	}
}

func (h *Host) addMoreAddrs(n int) error {
	h.adding.Lock()
	defer h.adding.Unlock()
	first := len(h.Addrs())
	if n < 0 || first+n > 256 {
		return fmt.Errorf("add %d addresses to %d: a host has at most 256", n, first)
	}
	rt, eth0, err := h.Eth0()
	if err != nil {
		return err
	}
	defer rt.Close()
	for j := first; j < first+n; j++ {
		if err := h.addAddrs(rt, eth0, j); err != nil {
			return err
		}
		if err := awaitAddr(rt, addr6(h.number, j)); err != nil {
			return err
		}
		h.offerAddrs(j)
	}
	return nil
}

// Eth0 opens a netlink socket in the host's namespace, for its routes and neighbours, and
// finds the interface eth0. The caller closes the socket.
func (h *Host) Eth0() (rt *netlink.Handle, eth0 netlink.Link, err error) {
	err = h.Do(func() (err error) {
		rt, err = netlink.NewHandle(unix.NETLINK_ROUTE)
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("open netlink socket: %w", err)
	}
	if eth0, err = rt.LinkByName("eth0"); err != nil {
		rt.Close()
		return nil, nil, fmt.Errorf("find eth0 of host %s: %w", h.name, err)
	}
	return rt, eth0, nil
}

// addAddrs gives eth0 address j of the host, in both families. IFA_F_NODAD spares
// the IPv6 one its 1.6 s of duplicate detection.
func (h *Host) addAddrs(rt *netlink.Handle, eth0 netlink.Link, j int) error {
	a4, a6 := addr4(h.number, j), addr6(h.number, j)
	if err := rt.AddrAdd(eth0, &netlink.Addr{IPNet: ipNet(a4, prefixLen4)}); err != nil {
		return fmt.Errorf("add address %v: %w", a4, err)
	}
	if err := rt.AddrAdd(eth0, &netlink.Addr{IPNet: ipNet(a6, prefixLen6), Flags: unix.IFA_F_NODAD}); err != nil {
		return fmt.Errorf("add address %v: %w", a6, err)
	}
	return nil
}

// offerAddrs lists the addresses j as the host's own, now that they work.
func (h *Host) offerAddrs(j int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.addrs, h.addrs6 = append(h.addrs, addr4(h.number, j)), append(h.addrs6, addr6(h.number, j))
}

// awaitAddr returns when the host answers for its IPv6 address. The kernel joins the
// address's multicast group and adds the route that delivers it from a work queue,
// one after the other (addrconf_dad_work, net/ipv6/addrconf.c); until then
// neighbour solicitations and SYNs vanish, and each costs a second.
func awaitAddr(rt *netlink.Handle, addr netip.Addr) error {
	return poll(fmt.Sprintf("local route to %v", addr), func() (bool, error) {
		routes, err := rt.RouteGet(addr.AsSlice())
		return err == nil && len(routes) == 1 && routes[0].Type == unix.RTN_LOCAL, err
	})
}

func ipNet(addr netip.Addr, bits int) *net.IPNet {
	return &net.IPNet{IP: addr.AsSlice(), Mask: net.CIDRMask(bits, addr.BitLen())}
}
