package loadclient

import (
	"context"
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// A run that is cancelled while its sockets are made makes no more of them, and nobody
// starts.
func TestCancelledWhileSocketsAreMade(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	made := 0
	cfg := Config{Clients: 10, Control: func(string, string, syscall.RawConn) error {
		if made++; made == 3 {
			cancel(errors.New("stop"))
		}
		return nil
	}}.withDefaults()
	address := netip.MustParseAddrPort("127.0.0.1:1")
	s := newSwarm(cfg, address.String())
	e := &epollEngine{swarm: s, shards: []*epollShard{newEpollShard(s, address, "GET / HTTP/1.1\r\n\r\n", 0, 1)}}
	if err := e.shards[0].prepare(ctx); err != nil {
		t.Fatal(err)
	}
	e.run(ctx, time.Now())
	e.seal()
	for i := range s.clients {
		if c := &s.clients[i]; c.Fate != scenario.Failed || c.Error != errBeforeStart.Error() || c.Started != 0 {
			t.Errorf("client %d: %+v, want it cancelled before its start", i, *c)
		}
	}
	if made != 3 {
		t.Errorf("%d sockets were made, want 3", made)
	}
}

// Children that are cancelled before they are ready report their clients all the same.
func TestChildrenCancelledBeforeTheStart(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("stop"))
	cfg := Config{Engine: Epoll, Target: "http://127.0.0.1:1/", Clients: 33}.withDefaults()
	result, err := runChildren(ctx, cfg, "127.0.0.1:1", 3)
	if err != nil {
		t.Fatalf("runChildren() = %v", err)
	}
	if err := result.Check(); err != nil || result.Fates[scenario.Failed] != 33 {
		t.Errorf("%v, %v, want 33 failed", result, err)
	}
	for _, c := range result.Clients {
		if c.Error != errBeforeStart.Error() {
			t.Errorf("client %d says %q, want %q", c.Number, c.Error, errBeforeStart)
		}
	}
}
