package wire

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/rstlab/rstlab/netlab"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Plug plays scenarios on a plain veth pair, where there is no TUN device, as is usual
// without root. It can do one thing only, and exactly: hold all SYN-ACKs back and let
// them go at once.
//
//	client ──veth── server, whose route to the client leads over a neighbour that
//	                does not answer until it is released
//
// So it covers the scenarios whose clients come in bursts that the network keeps apart:
// all SYNs of a burst meet the server before the first ACK does. [Plug.Covers] tells.
type Plug struct {
	Client, Server *netlab.Host

	hosts hosts
	rt    *netlink.Handle // in the server's namespace
	eth0  netlink.Link
	mac   net.HardwareAddr // the client's
}

// The neighbours that do not answer. The addresses are in the lab's networks, and no
// host has them.
var (
	plug4 = netip.MustParseAddr("198.18.255.1")
	plug6 = netip.MustParseAddr("2001:2::ffff:1")
)

// unresolvedBytes is how much the server may hold for its neighbour: unres_qlen_bytes.
const unresolvedBytes = 64 << 20

// NewPlug makes a lab with two hosts and the plug between them. Where there is no lab
// the test is skipped or ended, as by netlab.New.
func NewPlug(tb netlab.TB) *Plug {
	tb.Helper()
	client, server := netlab.New(tb).Pair()
	p := &Plug{Client: client, Server: server, hosts: hosts{client: client, server: server, port: firstPort}}
	tb.Cleanup(p.close)
	if err := p.install(); err != nil {
		tb.Fatalf("wire: install plug: %v", err)
	}
	return p
}

func (p *Plug) close() {
	if p.rt != nil {
		p.rt.Close()
	}
}

// install leads the server's routes to the client over the neighbours.
func (p *Plug) install() (err error) {
	rt, eth0, err := p.Client.Eth0()
	if err != nil {
		return err
	}
	rt.Close()
	p.mac = eth0.Attrs().HardwareAddr
	if p.rt, p.eth0, err = p.Server.Eth0(); err != nil {
		return err
	}
	for client, via := range map[netip.Addr]netip.Addr{p.Client.Addrs()[0]: plug4, p.Client.Addrs6()[0]: plug6} {
		route := &netlink.Route{LinkIndex: p.eth0.Attrs().Index, Dst: hostRoute(client), Gw: via.AsSlice()}
		if err := p.rt.RouteAdd(route); err != nil {
			return fmt.Errorf("add route to %v over %v: %w", client, via, err)
		}
	}
	for _, family := range []string{"ipv4", "ipv6"} {
		if err := p.Server.SetSysctl("net."+family+".neigh.eth0.unres_qlen_bytes", fmt.Sprint(unresolvedBytes)); err != nil {
			return err
		}
	}
	return nil
}

// neighbour is the one over which the server answers.
func neighbour(ipv6 bool) netip.Addr {
	if ipv6 {
		return plug6
	}
	return plug4
}

// Hold makes the server keep what it sends to the client, over IPv4 or IPv6. A lab
// starts with it held, and the kernel gives up on its neighbour after three seconds.
func (p *Plug) Hold(ipv6 bool) error {
	via := neighbour(ipv6)
	err := p.rt.NeighDel(&netlink.Neigh{LinkIndex: p.eth0.Attrs().Index, IP: via.AsSlice()})
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("forget neighbour %v: %w", via, err)
	}
	return nil
}

// Release lets it go, in order, and what comes after it too.
func (p *Plug) Release(ipv6 bool) error {
	via := neighbour(ipv6)
	answering := &netlink.Neigh{LinkIndex: p.eth0.Attrs().Index, State: netlink.NUD_PERMANENT, IP: via.AsSlice(), HardwareAddr: p.mac}
	if err := p.rt.NeighSet(answering); err != nil {
		return fmt.Errorf("set neighbour %v: %w", via, err)
	}
	return nil
}
