package main

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
)

const (
	frontPort = 8080
	meetPort  = 7400
	backlog   = 64
)

// A server serves 30 clients and then stands still: of the next 65 each finds a place in
// the accept queue, which holds one more than its limit, and no SYN of the last 305 is
// answered. A wave comes when the one before it is done with, so that no two clients ever
// want the last place.
const (
	served, queued, dropped = 30, backlog + 1, 305

	arrivals = `[{"clients":30},{"clients":65,"at":"1s"},{"clients":305,"at":"2s"}]`
	patience = 900 * time.Millisecond // of a client: less than the second after which it repeats its SYN
)

// TestSharded runs a swarm as one process, and as three in three network namespaces that
// meet over their network: the merged result is the single run's, fate by fate, and what
// the server counted.
func TestSharded(t *testing.T) {
	t.Parallel()
	want := scenario.Fates{scenario.Served: served, scenario.Queued: queued, scenario.SYNDropped: dropped}
	for _, shards := range []int{1, 3} {
		t.Run(fmt.Sprintf("shards=%d", shards), func(t *testing.T) {
			t.Parallel()
			merged, accepted, moved := playShards(t, shards)
			if !reflect.DeepEqual(merged.Fates, want) || merged.Processes != shards || merged.Shards != 1 {
				t.Errorf("%v in %d processes, shard of %d; want %v in %d, the whole\n%v", merged.Fates, merged.Processes, merged.Shards, want, shards, merged)
			}
			confirmed, err := loadclient.Confirm(merged, accepted, moved)
			if want := (loadclient.Confirmation{Waiting: queued}); err != nil || confirmed != want {
				t.Errorf("the server confirms %+v, %v, want %+v", confirmed, err, want)
			}
			for name, n := range map[string]uint64{"PassiveOpens": served + queued, "ListenOverflows": dropped, "ListenDrops": dropped} {
				if moved[name] != n {
					t.Errorf("%s at the server moved by %d, want %d", name, moved[name], n)
				}
			}
			if known := merged.ClockError > 0; shards > 1 && !known {
				t.Errorf("the clocks' error is %v, want that it is known", merged.ClockError)
			}
		})
	}
}

// playShards gives the merged result, who was accepted, and what moved at the server from
// the first client on.
func playShards(t *testing.T, shards int) (merged loadclient.Result, accepted map[netip.AddrPort]bool, moved scenario.Counters) {
	t.Helper()
	hosts := netlab.New(t).Star("server", "zero", "one", "two")
	server, clients := hosts[0], hosts[1:1+shards]
	ln, err := server.Listen("tcp4", fmt.Sprintf("%s:%d", server.Addr(), frontPort), backlog)
	if err != nil {
		t.Fatal(err)
	}
	accepted = map[netip.AddrPort]bool{}
	var serving sync.WaitGroup
	defer serving.Wait()
	defer ln.Close()
	serving.Go(func() { serveSome(ln, accepted) })
	before := server.Counters()

	folder := t.TempDir()
	args := []string{"merge", "-json", "-"}
	procs := make([]*netlab.Proc, shards)
	for i, host := range clients {
		file := filepath.Join(folder, fmt.Sprintf("%d.json", i))
		args = append(args, file)
		procs[i] = host.StartRole(swarmRole.Name, "-arrivals", arrivals, "-timeout", patience.String(), "-json", file,
			"-shard", fmt.Sprintf("%d/%d", i, shards), "-meet", fmt.Sprintf("%s:%d", clients[0].Addr(), meetPort),
			fmt.Sprintf("http://%s:%d/", server.Addr(), frontPort))
	}
	for i, proc := range procs {
		select {
		case <-proc.Done():
		case <-time.After(time.Minute):
			t.Fatalf("shard %d has not ended", i)
		}
		if how := proc.Ended(); !strings.HasPrefix(how, "exit status 0") {
			t.Errorf("shard %d: %s", i, how)
		}
	}
	moved = server.Counters().Since(before)
	status, stdout, stderr := swarm(args...)
	if status != 0 {
		t.Fatalf("merge: status %d, %s", status, stderr)
	}
	ln.Close()
	serving.Wait()
	return resultOf(t, stdout), accepted, moved
}

// serveSome serves the first clients, answers each request, and accepts nobody any more.
func serveSome(ln net.Listener, accepted map[netip.AddrPort]bool) {
	for range served {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		accepted[conn.RemoteAddr().(*net.TCPAddr).AddrPort()] = true
		if _, err := conn.Read(make([]byte, 1<<10)); err != nil {
			return
		}
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	}
}
