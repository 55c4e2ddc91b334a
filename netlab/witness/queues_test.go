package witness

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/rstlab/rstlab/netlab"
)

// Two listeners share a port, and each has its own SYN queue in every sample.
func TestSYNQueuesOfOnePort(t *testing.T) {
	t.Parallel()
	client, server := netlab.New(t).Pair()
	server.AddAddrs(1)
	for i, addr := range server.Addrs() {
		address := netip.AddrPortFrom(addr, 8080)
		deferAccept(t, listen(t, server, address.String(), 8))
		for range 2*i + 1 {
			half(t, client, address)
		}
	}
	await(t, "four half-open connections", func() bool { return len(server.SYNQueue(8080)) == 4 })
	rec := Record(t, Config{}, server)
	var got []string
	for _, q := range rec.Stop().Hosts[0].Queues { // one at each end
		got = append(got, fmt.Sprintf("%v: %d", q.Listener, q.SYNQueue))
	}
	slices.Sort(got)
	want := []string{"198.18.0.2:8080: 1", "198.18.0.2:8080: 1", "198.18.1.2:8080: 3", "198.18.1.2:8080: 3"}
	if !slices.Equal(got, want) {
		t.Errorf("the SYN queues are %q, want %q", got, want)
	}
}
