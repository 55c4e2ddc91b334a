package loadclient_test

import (
	"bufio"
	"io"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab/scenario"
	"golang.org/x/sys/unix"
)

const loopback = "127.0.0.1:0"

// checkAll demands the same fate of every client.
func checkAll(t *testing.T, result loadclient.Result, fate scenario.Fate) {
	t.Helper()
	if result.Fates[fate] != len(result.Clients) {
		t.Errorf("want every client %v, got\n%v", fate, result)
	}
}

// checkSYNRetries demands a known number of SYN retries of every client.
func checkSYNRetries(t *testing.T, result loadclient.Result, want uint32) {
	t.Helper()
	for _, c := range result.Clients {
		if !c.TCP.Known() || c.TCP.SYNRetries != want {
			t.Errorf("client %d: TCP is %+v, want %d SYN retries", c.Number, c.TCP, want)
		}
	}
}

func (s *server) checkAccepted(t *testing.T, want int64) {
	t.Helper()
	s.stop()
	if got := s.accepted.Load(); got != want {
		t.Errorf("server accepted %d connections, want %d", got, want)
	}
}

// engines are both, for tests in which they must not differ.
var engines = []loadclient.Engine{loadclient.HTTP, loadclient.Epoll}

// withEngines runs a test with each of them.
func withEngines(t *testing.T, test func(t *testing.T, engine loadclient.Engine)) {
	t.Parallel()
	for _, engine := range engines {
		t.Run(engine.String(), func(t *testing.T) {
			t.Parallel()
			test(t, engine)
		})
	}
}

func TestOneConnectionPerClient(t *testing.T) {
	withEngines(t, oneConnectionPerClient)
}

func oneConnectionPerClient(t *testing.T, engine loadclient.Engine) {
	server := listen(t, loopback).serve(closing(answering(okAnswer)))
	result := run(t, loadclient.Config{Engine: engine, Target: server.target(), Clients: 50, Requests: 5})
	checkAll(t, result, scenario.Served)
	checkSYNRetries(t, result, 0)
	server.checkAccepted(t, 50)
	ports := map[netip.AddrPort]bool{}
	for _, c := range result.Clients {
		ports[c.Local] = true
		if c.Answered != 5 || c.Received != int64(5*len(okAnswer)) {
			t.Errorf("client %d: %d answers in %d bytes, want 5 in %d", c.Number, c.Answered, c.Received, 5*len(okAnswer))
		}
	}
	if len(ports) != 50 {
		t.Errorf("clients came from %d addresses, want 50", len(ports))
	}
}

// A server that drops a kept connection is what makes net/http retry.
func TestKeptConnectionIsNotReplaced(t *testing.T) {
	withEngines(t, keptConnectionIsNotReplaced)
}

func keptConnectionIsNotReplaced(t *testing.T, engine loadclient.Engine) {
	server := listen(t, loopback).serve(closing(func(conn io.ReadWriter) {
		requests := bufio.NewReader(conn)
		readRequest(requests)
		io.WriteString(conn, okAnswer)
		readRequest(requests)
	}))
	result := run(t, loadclient.Config{Engine: engine, Target: server.target(), Clients: 50, Requests: 2})
	checkAll(t, result, scenario.Closed)
	server.checkAccepted(t, 50)
	for _, c := range result.Clients {
		if c.Answered != 1 {
			t.Errorf("client %d: %d answers, want 1", c.Number, c.Answered)
		}
	}
}

// The queue is emptied, or the listener closed, after the first SYN retry was
// dropped too, so the second one is answered.
func TestSYNRetriesOfDialsThatEnd(t *testing.T) {
	withEngines(t, synRetriesOfDialsThatEnd)
}

func synRetriesOfDialsThatEnd(t *testing.T, engine loadclient.Engine) {
	for _, test := range []struct {
		name string
		then func(*server)
		want scenario.Fate
	}{
		{"accepted", func(s *server) { s.serve(closing(answering(okAnswer))) }, scenario.Served},
		{"reset", func(s *server) { s.serve(resetting(1)) }, scenario.ResetAfterRequest},
		{"refused", func(s *server) { s.stop() }, scenario.Refused},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := listen(t, loopback)
			server.fill(t)
			finished := make(chan loadclient.Result, 1)
			go func() {
				result, err := loadclient.Run(t.Context(), loadclient.Config{Engine: engine, Target: server.target(), Clients: 1})
				if err != nil {
					t.Errorf("Run() = %v", err)
				}
				finished <- result
			}()
			await(t, "the first SYN and its retry to be dropped", func() bool { return server.drops(t) == 2 })
			test.then(server)
			result := <-finished
			checkAll(t, result, test.want)
			checkSYNRetries(t, result, 2)
		})
	}
}

// duplicating hands out a duplicate of each socket's descriptor.
func duplicating(out chan<- int) func(string, string, syscall.RawConn) error {
	return func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) {
			dup, err := unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0)
			if err == nil {
				out <- dup
			}
		})
	}
}

func TestControlMayReplaceTheSocket(t *testing.T) {
	withEngines(t, controlMayReplaceTheSocket)
}

func controlMayReplaceTheSocket(t *testing.T, engine loadclient.Engine) {
	server := listen(t, loopback).serve(closing(answering(okAnswer)))
	var replaced atomic.Int64
	result := run(t, loadclient.Config{
		Engine: engine, Target: server.target(), Clients: 20,
		Control: func(_, _ string, raw syscall.RawConn) error {
			var failed error
			err := raw.Control(func(fd uintptr) { failed = replaceSocket(int(fd)) })
			replaced.Add(1)
			if err != nil {
				return err
			}
			return failed
		},
	})
	checkAll(t, result, scenario.Served)
	checkSYNRetries(t, result, 0)
	if replaced.Load() != 20 {
		t.Errorf("Control was called %d times, want 20", replaced.Load())
	}
}

func replaceSocket(fd int) error {
	other, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer unix.Close(other)
	return unix.Dup3(other, fd, unix.O_CLOEXEC)
}

func TestControlError(t *testing.T) {
	withEngines(t, controlError)
}

func controlError(t *testing.T, engine loadclient.Engine) {
	result := run(t, loadclient.Config{
		Engine: engine, Target: "http://127.0.0.1:1/", Clients: 3,
		Control: func(string, string, syscall.RawConn) error { return os.NewSyscallError("setns", syscall.EPERM) },
	})
	checkAll(t, result, scenario.LocalError)
	if c := result.Clients[0]; c.Phase != loadclient.PhaseDial || c.ErrnoName() != "EPERM" || c.TCP.Known() {
		t.Errorf("client 0 is %+v, want EPERM in dial and TCP unknown", c)
	}
}

func TestSources(t *testing.T) {
	withEngines(t, sources)
}

func sources(t *testing.T, engine loadclient.Engine) {
	for _, test := range []struct {
		listen  string
		sources []netip.Addr
	}{
		{loopback, []netip.Addr{netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.3")}},
		{"[::1]:0", []netip.Addr{netip.MustParseAddr("::1")}},
	} {
		t.Run(test.listen, func(t *testing.T) {
			t.Parallel()
			server := listen(t, test.listen).serve(closing(answering(okAnswer)))
			sockets := make(chan int, 5)
			result := run(t, loadclient.Config{
				Engine: engine, Target: server.target(), Clients: 5, Sources: test.sources, Control: duplicating(sockets),
			})
			checkAll(t, result, scenario.Served)
			for range 5 {
				fd := <-sockets
				if on, err := unix.GetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT); on != 1 || err != nil {
					t.Errorf("IP_BIND_ADDRESS_NO_PORT is %d (%v), want 1", on, err)
				}
				unix.Close(fd)
			}
			for i, c := range result.Clients {
				if want := test.sources[i%len(test.sources)]; c.Local.Addr() != want {
					t.Errorf("client %d came from %v, want %v", i, c.Local, want)
				}
			}
		})
	}
}

func TestForeignSourceFails(t *testing.T) {
	withEngines(t, foreignSourceFails)
}

func foreignSourceFails(t *testing.T, engine loadclient.Engine) {
	server := listen(t, loopback).serve(closing(answering(okAnswer)))
	result := run(t, loadclient.Config{Engine: engine, Target: server.target(), Clients: 3, Sources: []netip.Addr{netip.MustParseAddr("192.0.2.1")}})
	checkAll(t, result, scenario.LocalError)
	if c := result.Clients[0]; c.Phase != loadclient.PhaseDial || c.ErrnoName() != "EADDRNOTAVAIL" {
		t.Errorf("client 0 failed in %q with %q, want EADDRNOTAVAIL in dial", c.Phase, c.ErrnoName())
	}
	server.checkAccepted(t, 0)
}

// A dialer of the caller's own: TCP_INFO is known as long as there is a socket.
func TestOwnDialer(t *testing.T) {
	t.Parallel()
	server := listen(t, loopback).serve(closing(answering(okAnswer)))
	cfg := loadclient.Config{Target: server.target(), Clients: 5, Dial: new(net.Dialer).DialContext, Timeout: time.Minute}
	result := run(t, cfg)
	checkAll(t, result, scenario.Served)
	checkSYNRetries(t, result, 0)
	server.checkAccepted(t, 5)
	result = run(t, cfg)
	checkAll(t, result, scenario.Refused)
	if tcp := result.Clients[0].TCP; tcp.Known() {
		t.Errorf("TCP is %+v after a failed Dial, want it unknown", tcp)
	}
}
