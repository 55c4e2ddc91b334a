package loadclient

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/rstlab/rstlab/netlab/scenario"
	"golang.org/x/sys/unix"
)

func boundSocket(t *testing.T, p *ports, client int) netip.AddrPort {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := p.bind(fd, client); err != nil {
		t.Fatalf("bind client %d: %v", client, err)
	}
	return localAddr(fd)
}

// Beyond 10,000 clients of one address each gets the next port that nobody has.
func TestExplicitPorts(t *testing.T) {
	t.Parallel()
	sources := []netip.Addr{netip.MustParseAddr("127.77.0.1"), netip.MustParseAddr("127.77.0.2")}
	many := func(n, shard int) *ports {
		return newPorts(Config{Waves: scenario.Arrivals{{Clients: n}}, Sources: sources, Shard: shard, Shards: 4})
	}
	if few := many(2*manyClients, 0); few.explicit {
		t.Error("10,000 clients of an address get explicit ports, want none")
	}
	p := many(2*manyClients+2, 1)
	const first = firstPort + allPorts/4
	taken := boundSocket(t, many(2*manyClients+2, 1), 0)
	for i, want := range []string{"127.77.0.1:17153", "127.77.0.2:17152", "127.77.0.1:17154", "127.77.0.2:17153"} {
		if got := boundSocket(t, p, i).String(); got != want {
			t.Errorf("client %d is bound to %s, want %s; %v is taken and the shard's first port is %d", i, got, want, taken, first)
		}
	}
}

// More clients than ports would each try all ports in vain, for a tenth of a second.
func TestTooFewPorts(t *testing.T) {
	t.Parallel()
	address := netip.MustParseAddr("127.77.0.1")
	for _, test := range []struct {
		clients, sources, shards int
		want                     string
	}{
		{allPorts, 0, 1, ""},
		{2 * allPorts, 2, 1, ""},
		{2 * allPorts, 1, 2, ""},
		{allPorts + 1, 0, 1, "64513 clients need more ports than the 64512 of each source address: give 2 addresses as Sources, or use fewer clients"},
		{2*allPorts + 1, 2, 1, "129025 clients need more ports than the 64512 of each source address: give 3 addresses as Sources, or use fewer clients"},
	} {
		cfg := Config{Clients: test.clients, Sources: slices.Repeat([]netip.Addr{address}, test.sources), Shards: test.shards}.withDefaults()
		got := ""
		if err := cfg.checkPorts(); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%d clients of %d sources in %d shards: %q, want %q", test.clients, test.sources, test.shards, got, test.want)
		}
	}
}

func TestSourceWithoutPort(t *testing.T) {
	t.Parallel()
	p := newPorts(Config{Clients: 1, Sources: []netip.Addr{netip.MustParseAddr("127.77.0.3")}}.withDefaults())
	if got := boundSocket(t, p, 0); got.IsValid() {
		t.Errorf("a socket is bound to %v, want its port left to connect", got)
	}
}
