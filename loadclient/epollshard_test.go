package loadclient

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/rstlab/rstlab/netlab/witness"
)

// The clients of a burst begin their handshakes one after another, with nothing between,
// and their requests follow. Each notices its connection at once, not with its request.
// Those beyond a batch follow one by one.
func TestHandshakesOfABurstComeFirst(t *testing.T) {
	t.Parallel()
	client, server := netlab.New(t).Pair()
	address := netip.MustParseAddrPort(server.Addr() + ":8080")
	const late = 3
	ln, err := server.Listen("tcp4", address.String(), startBatch+late)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	rec := witness.Record(t, witness.Config{}, client)
	cfg := Config{Target: fmt.Sprintf("http://%s/", address), Clients: startBatch + late, Within: client.Do}.withDefaults()
	shard := newEpollShard(newSwarm(cfg, address.String()), address, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", 0, 1)
	if err := shard.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer shard.seal()
	shard.start = time.Now()
	for _, more := range []bool{true, false} {
		if shard.startDue(); shard.late != more {
			t.Errorf("some are late: %v, want %v", shard.late, more)
		}
	}
	var sent []scenario.Flags // of the SYNs and requests, in their order
	for _, p := range rec.Stop().Hosts[0].Packets {
		if segment, ok := scenario.ReadSegment(p.Data); ok && segment.Target == address && (segment.Flags == scenario.SYN || segment.Payload > 0) {
			sent = append(sent, segment.Flags)
		}
	}
	syn, request := []scenario.Flags{scenario.SYN}, []scenario.Flags{scenario.PSH | scenario.ACK}
	want := slices.Concat(slices.Repeat(syn, startBatch), slices.Repeat(request, startBatch), slices.Repeat(slices.Concat(syn, request), late))
	if !slices.Equal(sent, want) {
		t.Errorf("the clients sent %v, want %d SYNs, as many requests, and then %d times a SYN and a request", sent, startBatch, late)
	}
	for i := range shard.clients[:startBatch-1] {
		if next := &shard.clients[i+1]; shard.clients[i].Connected == 0 || shard.clients[i].Connected > next.Started {
			t.Errorf("client %d started at %v and noticed its connection at %v, want that before %v, when the next started",
				i, shard.clients[i].Started, shard.clients[i].Connected, next.Started)
		}
	}
}

// A thread that had a client's work to do and comes back milliseconds later was held up.
func TestThreadSeesItsStalls(t *testing.T) {
	t.Parallel()
	shard := newEpollShard(newSwarm(Config{Clients: 1}.withDefaults(), "h:1"), netip.MustParseAddrPort("127.0.0.1:1"), "", 0, 1)
	shard.start = time.Now()
	shard.seen = -time.Minute
	shard.now()
	if s := shard.stalls; s.Count != 1 || s.Largest < time.Minute || s.Total != s.Largest {
		t.Errorf("a thread that was held up for a minute saw %+v", s)
	}
}

func TestThreads(t *testing.T) {
	t.Parallel()
	for cpus, want := range map[int]int{1: 1, 2: 2, 3: 2, 4: 2, 6: 3, 64: 32} {
		if got := (Config{}).threads(cpus); got != want {
			t.Errorf("threads(%d) = %d, want %d", cpus, got, want)
		}
	}
	if got := (Config{Within: func(fn func() error) error { return fn() }}).threads(64); got != 1 {
		t.Errorf("in a lab there are %d threads, want 1", got)
	}
}
