package netlab

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// site is a host under construction: the host and the netlink socket that was
// opened in its namespace and configures it from any thread.
type site struct {
	*Host
	rt    *netlink.Handle
	links []int // indices of its veth ends, or of its TUN device
	tun   bool  // eth0 is a TUN device, which has its carrier from the start and never says so
}

// newSite makes a namespace with pinned sysctls and its loopback interface up.
// The calling thread stays in the new namespace; call it within onThread.
func newSite(l *Lab, name string, number int) (*site, error) {
	ns, err := netns.New()
	if err != nil {
		return nil, fmt.Errorf("make a network namespace: %w", err)
	}
	s := &site{Host: &Host{lab: l, name: name, number: number, ns: ns}}
	if s.rt, err = netlink.NewHandle(unix.NETLINK_ROUTE); err == nil {
		err = errors.Join(pinSysctls(), s.up(loopbackIndex))
	}
	if err != nil {
		return nil, errors.Join(err, s.abandon())
	}
	return s, nil
}

const maxHosts = 254 // the last byte of an address counts them

const loopbackIndex = 1 // LOOPBACK_IFINDEX, include/net/flow.h

// abandon closes what a failed construction has opened.
func (s *site) abandon() error {
	if s.rt != nil {
		s.rt.Close()
	}
	return s.Host.close()
}

func newPair(l *Lab, client, server string) (hosts []*Host, err error) {
	err = onThread(func() error {
		sites, err := newSites(l, []string{client, server}, 1)
		if err != nil {
			return err
		}
		if err := join(sites[0], sites[1], "eth0"); err != nil {
			return abandonAll(sites, err)
		}
		hosts, err = finish(l, sites)
		return err
	})
	return hosts, err
}

func newStar(l *Lab, names []string) (hosts []*Host, err error) {
	if len(names) < 1 || len(names) > maxHosts {
		return nil, fmt.Errorf("%d names given, want 1 to %d", len(names), maxHosts)
	}
	err = onThread(func() error {
		// Host 0 is the switch: it has a bridge and no address.
		sites, err := newSites(l, append([]string{"switch"}, names...), 0)
		if err != nil {
			return err
		}
		for i, s := range sites[1:] {
			if err := join(s, sites[0], fmt.Sprintf("port%d", i+1)); err != nil {
				return abandonAll(sites, err)
			}
		}
		if err := sites[0].addBridge(); err != nil {
			return abandonAll(sites, err)
		}
		hosts, err = finish(l, sites)
		return err
	})
	if err != nil {
		return nil, err
	}
	return hosts[1:], nil
}

// newSites makes one namespace a name, numbered from first on.
func newSites(l *Lab, names []string, first int) ([]*site, error) {
	var sites []*site
	for i, name := range names {
		s, err := newSite(l, name, first+i)
		if err != nil {
			return nil, abandonAll(sites, fmt.Errorf("host %s: %w", name, err))
		}
		sites = append(sites, s)
	}
	return sites, nil
}

func abandonAll(sites []*site, err error) error {
	for _, s := range sites {
		err = errors.Join(err, s.abandon())
	}
	return err
}

// finish gives every host its addresses and waits until all can be reached; then the
// hosts belong to the lab.
func finish(l *Lab, sites []*site) ([]*Host, error) {
	var hosts []*Host
	for _, s := range sites {
		if s.number == 0 {
			continue // the switch has no address
		}
		if err := s.addAddrs(s.rt, byIndex(s.links[0]), 0); err != nil {
			return nil, abandonAll(sites, fmt.Errorf("host %s: %w", s.name, err))
		}
	}
	for _, s := range sites {
		if err := s.settle(); err != nil {
			return nil, abandonAll(sites, fmt.Errorf("host %s: %w", s.name, err))
		}
		s.rt.Close()
		hosts = append(hosts, s.Host)
	}
	l.adopt(hosts...)
	return hosts, nil
}

// settle returns when packets to and from the site arrive from the first one on.
func (s *site) settle() error {
	if !s.tun {
		for _, index := range s.links {
			if err := awaitCarrier(s.rt, index); err != nil {
				return err
			}
		}
	}
	if s.number == 0 {
		return nil
	}
	if err := awaitAddr(s.rt, addr6(s.number, 0)); err != nil {
		return err
	}
	s.offerAddrs(0)
	return nil
}
