package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
)

var million = question{
	name: "million", kind: kindHeld, oursOnly: true,
	clients: func(z size) int { return z.million },
	what:    "the largest swarm here: 1,000,000 clients, served and held at the same time",
	figures: []figure{
		{"served", "clients", true}, {"answered", "connections", true}, {"held at once", "connections", true}, {"time", "s", false},
		{"memory at both ends", "GB", false}, {"of it a client", "bytes", false}, {"processes of the swarm", "", false},
	},
	play: playMillion,
	must: func(a Answer) []Check {
		return []Check{a.always(0, full.million), a.always(1, full.million), a.always(2, full.million)}
	},
}

// Bounds. A client and its server's side take some 6,500 bytes, most of it the kernel's.
const (
	memoryEach      = 8 << 10
	memoryBase      = 1 << 30
	millionTime     = 3 * time.Minute // a client's
	millionRun      = 8 * time.Minute // the whole swarm's, with making it and gathering it
	clientsEachAddr = 50_000          // of a source address, which has some 64,000 ports
)

// playMillion runs one swarm in as many child processes as it takes, against as many
// server processes, which share a port.
func playMillion(ctx context.Context, tb netlab.TB, _ tool, z size) (sample, error) {
	before, err := settledMemory()
	if err != nil {
		return sample{}, err
	}
	if need := z.million*memoryEach + memoryBase; before < need {
		return sample{}, fmt.Errorf("%d clients and their servers take up to %d MB, and this machine has %d MB left", z.million, need>>20, before>>20)
	}
	s, err := newStage(tb)
	if err != nil {
		return sample{}, err
	}
	s.client.AddAddrs(z.million / clientsEachAddr)
	servers, err := s.serveShared(z.million/z.perServer + 1)
	if err != nil {
		return sample{}, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, millionRun, fmt.Errorf("the swarm took more than %v", millionRun))
	defer cancel()
	var held, taken int
	var lookErr error
	result, err := loadclient.Run(ctx, loadclient.Config{
		Engine: loadclient.Epoll, Target: s.target(), Clients: z.million, Timeout: millionTime, Within: s.client.Do, Sources: s.client.Addrs(),
		Decided: func() { held, taken, lookErr = s.look(before) },
	})
	if err := errors.Join(err, lookErr); err != nil {
		return sample{}, err
	}
	answered := 0
	for _, server := range servers {
		counted, err := server.stop()
		if err != nil {
			return sample{}, err
		}
		answered += counted.Connections
	}
	return sample{Values: []float64{
		float64(result.Fates[scenario.Served]), float64(answered), float64(held), result.Elapsed.Seconds(),
		float64(taken) / 1e9, float64(taken) / float64(z.million), float64(result.Processes),
	}}, nil
}

// serveShared starts n servers that share the port, and returns when all listen: one that
// is late would leave its part of the clients to the others.
func (s *stage) serveShared(n int) ([]*stage, error) {
	var servers []*stage
	for i := range n {
		one := *s
		one.folder = filepath.Join(s.folder, strconv.Itoa(i))
		if err := os.Mkdir(one.folder, 0o755); err != nil {
			return nil, err
		}
		one.serve(serverPlan{Share: true})
		servers = append(servers, &one)
	}
	if !await(firstPatience, func() bool { return len(s.server.AcceptQueues()) == n }) {
		return nil, fmt.Errorf("%d of %d servers listen after %v", len(s.server.AcceptQueues()), n, firstPatience)
	}
	return servers, nil
}

// look counts, when all clients have their fates, the connections that stand at the client
// and the memory that all has taken.
func (s *stage) look(before int) (held, taken int, err error) {
	err = s.client.Do(func() error {
		text, err := os.ReadFile("/proc/thread-self/net/sockstat")
		held = socketsInUse(string(text))
		return err
	})
	if err != nil {
		return 0, 0, err
	}
	now, err := availableMemory()
	return held, before - now, err
}

// socketsInUse reads how many TCP sockets a namespace has, those that listen included:
//
//	TCP: inuse 1000000 orphan 0 tw 0 alloc 1000055 mem 12345
func socketsInUse(sockstat string) int {
	for line := range strings.Lines(sockstat) {
		if rest, ok := strings.CutPrefix(line, "TCP: inuse "); ok {
			n, _ := strconv.Atoi(strings.Fields(rest)[0]) // the kernel's own format
			return n
		}
	}
	return 0
}

// availableMemory reads how many bytes a new program may have before the machine swaps.
//
//	MemAvailable:   23165068 kB
func availableMemory() (int, error) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	return kilobytes(string(text), "MemAvailable:"), nil
}

// settledMemory is how much is available when the kernel is done with what came before:
// it takes it seconds to free a million sockets, behind the back of whoever closed them.
func settledMemory() (int, error) {
	debug.FreeOSMemory() // what this process took for the questions before
	before, err := availableMemory()
	for range settleLooks {
		time.Sleep(settleInterval)
		now, failed := availableMemory()
		if rise := now - before; failed != nil || rise < settleRise {
			return now, errors.Join(err, failed)
		}
		before = now
	}
	return before, err
}

// The memory has settled when it rises by less than so much in a second.
const (
	settleInterval = time.Second
	settleRise     = 64 << 20
	settleLooks    = 30
)

// kilobytes finds a line of /proc that begins so, and gives its number in bytes; zero:
// there is none.
func kilobytes(text, name string) int {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			n, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(rest), " kB")) // the kernel's own format
			return n << 10
		}
	}
	return 0
}
