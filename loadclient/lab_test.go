package loadclient_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
	"golang.org/x/sys/unix"
)

const port = 8080

// inHost makes the clients on the host, in the way that suits the engine.
func inHost(engine loadclient.Engine, h *netlab.Host, cfg loadclient.Config) loadclient.Config {
	cfg.Engine = engine
	if engine == loadclient.Epoll {
		cfg.Within = h.Do
	} else {
		cfg.Control = h.Control
	}
	return cfg
}

// A host whose ACKs never reach the listener, because its socket takes nothing but SYNs,
// believes to be connected.
func TestGhostOrKept(t *testing.T) {
	withEngines(t, func(t *testing.T, engine loadclient.Engine) {
		client, server := netlab.New(t).Pair()
		ln, err := server.Listen("tcp4", fmt.Sprintf("%s:%d", server.Addr(), port), 100)
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		control(t, ln, onlySYNs)
		result := run(t, inHost(engine, client, loadclient.Config{
			Target: fmt.Sprintf("http://%s:%d/", server.Addr(), port), Clients: 50, Timeout: 300 * ms,
		}))
		checkAll(t, result, scenario.GhostOrKept)
		for _, c := range result.Clients {
			if c.TCP.BytesAcked != 1 || c.TCP.State != unix.BPF_TCP_ESTABLISHED || c.Connected == 0 {
				t.Errorf("client %d: %+v, want it ESTABLISHED and only its SYN acknowledged", c.Number, c)
			}
		}
		if got := len(server.SYNQueue(port)); got != 50 {
			t.Errorf("%d connections are half open at the server, want 50", got)
		}
	})
}

// onlySYNs attaches a filter that takes a segment only if the flags in its TCP header are
// SYN alone: load byte 13, go on if it is 2, else take nothing.
func onlySYNs(fd int) error {
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 13},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: 2},
		{Code: unix.BPF_RET | unix.BPF_K, K: 1 << 16},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
	}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
}

func TestUnreachable(t *testing.T) {
	withEngines(t, func(t *testing.T, engine loadclient.Engine) {
		client, _ := netlab.New(t).Pair()
		result := run(t, inHost(engine, client, loadclient.Config{Target: "http://203.0.113.1/", Clients: 50}))
		checkAll(t, result, scenario.Unreachable)
		if c := result.Clients[0]; c.ErrnoName() != "ENETUNREACH" || c.Phase != loadclient.PhaseDial {
			t.Errorf("client 0 failed in %v with %s, want ENETUNREACH in dial", c.Phase, c.ErrnoName())
		}
	})
}

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
