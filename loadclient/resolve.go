package loadclient

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
)

// resolve is the "host:port" that every client dials.
//
// The host is one literal address, because a dialer that is given several tries
// them in turn, each with a socket of its own. With Dial it stays as written.
// The configuration must be valid.
func (c Config) resolve(ctx context.Context) (string, error) {
	u, err := url.Parse(c.Target)
	if err != nil {
		return "", err
	}
	port := cmp.Or(u.Port(), "80")
	if c.Dial != nil {
		return net.JoinHostPort(u.Hostname(), port), nil
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil {
		return "", fmt.Errorf("resolve Target: %w", err)
	}
	addr, err := pickAddress(found, c.Sources)
	if err != nil {
		return "", fmt.Errorf("resolve Target %q: %w", c.Target, err)
	}
	return net.JoinHostPort(addr.String(), port), nil
}

// pickAddress is the first address of the sources' family; without sources the
// first IPv4 address, else the first of all. Of found, at least one, IPv4
// addresses may be mapped.
func pickAddress(found, sources []netip.Addr) (netip.Addr, error) {
	want4 := len(sources) == 0 || sources[0].Is4()
	for _, addr := range found {
		if addr.Unmap().Is4() == want4 {
			return addr.Unmap(), nil
		}
	}
	if len(sources) > 0 {
		return netip.Addr{}, fmt.Errorf("it has no %s address, which Sources need", family(sources[0]))
	}
	return found[0], nil
}
