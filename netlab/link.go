package netlab

import (
	"fmt"
	"net"
	"time"

	"github.com/vishvananda/netlink"
)

// mac is a locally administered address, the same in every lab.
func mac(host int) net.HardwareAddr { return net.HardwareAddr{2, 0, 0, 0, 0, byte(host)} }

// eth0Index is chosen here so that the kernel need not be asked for it. The lowest
// numbers may be taken by the tunnel devices that some kernels put into every
// namespace.
const eth0Index = 100

// join makes a veth pair with each end born in its place, eth0 in s and peerName
// in peer, and sets both up.
func join(s, peer *site, peerName string) error {
	veth := &netlink.Veth{
		LinkAttrs:        netlink.LinkAttrs{Name: "eth0", Index: eth0Index, Flags: net.FlagUp, HardwareAddr: mac(s.number), TxQLen: -1},
		PeerName:         peerName,
		PeerHardwareAddr: mac(peer.number),
		PeerNamespace:    netlink.NsFd(peer.ns),
	}
	if err := s.rt.LinkAdd(veth); err != nil {
		return fmt.Errorf("create veth pair: %w", err)
	}
	end, err := peer.rt.LinkByName(peerName)
	if err != nil {
		return fmt.Errorf("find %s in host %s: %w", peerName, peer.name, err)
	}
	s.links = append(s.links, eth0Index)
	peer.links = append(peer.links, end.Attrs().Index)
	return peer.up(end.Attrs().Index)
}

// addBridge makes the switch: a bridge over all links. It runs no spanning tree, so
// a port forwards as soon as it has a carrier.
func (s *site) addBridge() error {
	bridge := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "bridge", TxQLen: -1}}
	if err := s.rt.LinkAdd(bridge); err != nil {
		return fmt.Errorf("create bridge: %w", err)
	}
	for _, port := range s.links {
		if err := s.rt.LinkSetMaster(byIndex(port), bridge); err != nil {
			return fmt.Errorf("make interface %d a port of the switch: %w", port, err)
		}
	}
	return s.up(bridge.Index)
}

// byIndex names a link to netlink by its index alone.
func byIndex(index int) netlink.Link {
	return &netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: index}}
}

func (s *site) up(index int) error {
	if err := s.rt.LinkSetUp(byIndex(index)); err != nil {
		return fmt.Errorf("set interface %d up: %w", index, err)
	}
	return nil
}

// awaitCarrier returns when the link can pass packets. The kernel learns of a
// carrier from a work queue, and until then a fresh veth loses its packets: the
// first SYN would be repeated a second later and be misread as a dropped one.
// Asking for this one link makes recent kernels look at once (linkwatch_sync_dev,
// net/core/link_watch.c).
func awaitCarrier(rt *netlink.Handle, index int) error {
	return poll(fmt.Sprintf("carrier of interface %d", index), func() (bool, error) {
		link, err := rt.LinkByIndex(index)
		return err == nil && link.Attrs().OperState == netlink.OperUp, err
	})
}

// pollTimeout bounds the wait for something that takes the kernel microseconds.
const pollTimeout = 5 * time.Second

// poll asks until done says yes, as it nearly always does at once.
func poll(what string, done func() (bool, error)) error {
	deadline := time.Now().Add(pollTimeout)
	for pause := 10 * time.Microsecond; ; pause = min(2*pause, time.Millisecond) {
		if ok, err := done(); err != nil {
			return fmt.Errorf("ask for %s: %w", what, err)
		} else if ok {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("no %s after %v", what, pollTimeout)
		}
		time.Sleep(pause)
	}
}
