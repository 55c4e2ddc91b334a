package wire

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// rtoMin is a minute in milliseconds, as RTAX_RTO_MIN counts.
const rtoMin = 60_000

// setPatient makes the client's kernel wait a minute before it repeats data, or lets
// it do so after 200 ms as usual, which is less than a run in virtual time may take on
// a busy machine. Nothing of the kind can be had for SYNs and SYN-ACKs, which are
// repeated after a second.
//
// Source, checked on v6.18: tcp_rto_min (include/net/tcp.h).
func (w *Wire) setPatient(on bool) error {
	if w.patient == on {
		return nil
	}
	w.patient = on
	rt, eth0, err := w.Client.Eth0()
	if err != nil {
		return err
	}
	defer rt.Close()
	for _, server := range append(w.Server.Addrs(), w.Server.Addrs6()...) {
		route := &netlink.Route{LinkIndex: eth0.Attrs().Index, Dst: hostRoute(server), RtoMin: rtoMin, RtoMinLock: true}
		change := rt.RouteAdd
		if !on {
			change = rt.RouteDel
		}
		if err := change(route); err != nil {
			return fmt.Errorf("change route to %v with a minimal time-out: %w", server, err)
		}
	}
	return nil
}

func hostRoute(addr netip.Addr) *net.IPNet {
	return &net.IPNet{IP: addr.AsSlice(), Mask: net.CIDRMask(addr.BitLen(), addr.BitLen())}
}
