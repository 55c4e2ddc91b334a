package loadclient_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
	"golang.org/x/sys/unix"
)

const port = 8080

// lab is two hosts and a server on one of them, which nobody accepts from yet.
//
//	client ──veth── host: server
type lab struct {
	client, host *netlab.Host
	*server
}

func newLab(t *testing.T) *lab {
	t.Helper()
	client, host := netlab.New(t).Pair()
	ln, err := host.Listen("tcp4", fmt.Sprintf("%s:%d", host.Addr(), port), 100)
	if err != nil {
		t.Fatal(err)
	}
	return &lab{client, host, newServer(t, ln, client.Dialer())}
}

// run makes the clients on the client's host, in the way that suits the engine, and has
// them ask the server, if nothing else is their target.
func (l *lab) run(t *testing.T, engine loadclient.Engine, cfg loadclient.Config) loadclient.Result {
	t.Helper()
	return run(t, l.place(engine, cfg))
}

// place is where the clients are and whom they ask.
func (l *lab) place(engine loadclient.Engine, cfg loadclient.Config) loadclient.Config {
	if cfg.Engine = engine; engine == loadclient.Epoll {
		cfg.Within = l.client.Do
	} else {
		cfg.Control = l.client.Control
	}
	if cfg.Target == "" {
		cfg.Target = l.target()
	}
	return cfg
}

// short is the time of clients who wait in vain: for all else in their run it is long, and
// less than it takes them to repeat a SYN.
const short = 900 * time.Millisecond

// helloRole is a server of its own, whose descriptors are not the swarm's.
var helloRole = netlab.Role{Name: "hello", Run: func(args []string) error {
	return http.ListenAndServe(args[0], http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello\n") // fails when the client has gone
	}))
}}

// A swarm that needs more descriptors than the process may have is spread over child
// processes, in the host like the others, and every client is accounted for. It is not
// parallel, because the limit is the whole process's.
func TestMoreClientsThanDescriptors(t *testing.T) {
	client, server := netlab.New(t).Pair()
	server.StartRole(helloRole.Name, fmt.Sprintf("%s:%d", server.Addr(), port)).WaitListening(port)
	cfg := loadclient.Config{
		Engine: loadclient.Epoll, Within: client.Do, Target: fmt.Sprintf("http://%s:%d/", server.Addr(), port), Clients: 100, Requests: 2,
	}
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	defer unix.Setrlimit(unix.RLIMIT_NOFILE, &before)
	few := before
	few.Cur = uint64(openDescriptors(t) + 64 + 40)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	decided := 0
	cfg.Decided = func() {
		if decided = len(server.Connections(port)); decided != 100 {
			t.Errorf("%d connections stand when every client has its fate, want 100", decided)
		}
	}
	result := run(t, cfg)
	checkAll(t, result, scenario.Served)
	if result.Processes < 3 || result.Shards != 1 || len(result.Clients) != 100 || decided == 0 {
		t.Errorf("%d clients in %d processes, shard %d of %d, Decided called: %v; want 100 in 3 or more, all of it, called",
			len(result.Clients), result.Processes, result.Shard, result.Shards, decided > 0)
	}
	for i, c := range result.Clients {
		if c.Number != i || c.Answered != 2 || !c.TCP.Known() || c.Local.Addr().String() != client.Addr() {
			t.Errorf("record %d is %+v, want client %d, answered twice, from %s", i, c, i, client.Addr())
		}
	}
	cfg.Within, cfg.Control = nil, client.Control
	if _, err := loadclient.Run(t.Context(), cfg); err == nil {
		t.Error("a swarm with Control went into other processes, want an error")
	}
}
