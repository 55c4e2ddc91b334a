package netlab_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/rstlab/rstlab/servers"
	"golang.org/x/sys/unix"
)

// The labs of these examples need a test, here played by t, and privileges; so the
// examples are compiled and not run.
var t *testing.T

func ExampleMain() {
	// In a file of the package's tests: func TestMain(m *testing.M) { ... }
	var m *testing.M
	netlab.Main(m)
}

func ExampleNew() {
	lab := netlab.New(t)
	client, server := lab.Pair()
	server.Sysctl("net.ipv4.tcp_abort_on_overflow", "1")
	server.Start("./myserver", "-listen", ":8080").WaitListening(8080)

	conn, err := client.DialContext(t.Context(), "tcp", server.Addr()+":8080")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
}

func ExampleLab_Star() {
	hosts := netlab.New(t).Star("client", "front", "backend")
	client, front, backend := hosts[0], hosts[1], hosts[2]
	fmt.Println(client.Addr(), front.Addr(), backend.Addr())
}

func ExampleHost_Listen() {
	_, server := netlab.New(t).Pair()
	ln, err := server.Listen("tcp", ":8080", 64) // the accept queue holds 65
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	fmt.Println(server.AcceptQueue(8080).Limit) // 64
}

// A server of this process, whose accept loop is slow.
func ExampleHost_ListenConfig() {
	_, server := netlab.New(t).Pair()
	ln, err := servers.Listen(t.Context(), server.ListenConfig(), "tcp", ":8080")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	ln.SetPace(20 * time.Millisecond)
	if err := ln.SetBacklog(64); err != nil {
		t.Fatal(err)
	}
}

func ExampleHost_Control() {
	client, server := netlab.New(t).Pair()
	dialer := net.Dialer{Control: client.Control}
	transport := &http.Transport{DialContext: dialer.DialContext}
	resp, err := (&http.Client{Transport: transport}).Get("http://" + server.Addr() + ":8080/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
}

func ExampleHost_Counters() {
	_, server := netlab.New(t).Pair()
	before := server.Counters()
	// ... let something happen ...
	moved := server.Counters().Since(before)
	fmt.Println(moved.Only(scenario.OverflowCounters()...))
}

// A paused server is one that does not accept, as during a long garbage collection.
func ExampleProc_Pause() {
	_, server := netlab.New(t).Pair()
	nginx := server.Start("nginx", "-g", "daemon off;").WaitListening(80)
	nginx.Pause()
	// ... clients arrive ...
	nginx.Resume()
}

// A server of one's own, played by the test binary: nothing has to be built first.
func ExampleRole() {
	// In a file of the package's tests: func TestMain(m *testing.M) { ... }
	var m *testing.M
	netlab.Main(m, netlab.Role{Name: "hello", Run: func(args []string) error {
		return http.ListenAndServe(args[0], http.NotFoundHandler())
	}})
}

// The role of ExampleRole, started in a test.
func ExampleHost_StartRole() {
	_, server := netlab.New(t).Pair()
	server.StartRole("hello", ":8080").WaitListening(8080)
}

// All listeners of a host, whichever program they belong to.
func ExampleHost_AcceptQueues() {
	_, server := netlab.New(t).Pair()
	server.Start("nginx", "-g", "daemon off;").WaitListening(80)
	for _, q := range server.AcceptQueues() {
		fmt.Println(q) // 0.0.0.0:80: 0 wait, limit 511, 0 dropped
	}
}

// A pod with a CPU limit of 100m: 10 ms in 100 ms.
func ExampleProc_LimitCPU() {
	if err := netlab.CPULimitAvailable(); err != nil {
		t.Skip(err)
	}
	_, server := netlab.New(t).Pair()
	nginx := server.Start("nginx", "-g", "daemon off;").WaitListening(80)
	nginx.LimitCPU(10*time.Millisecond, 100*time.Millisecond)
	// ... clients arrive ...
	fmt.Println(nginx.CPUStat().Throttled)
}

// A sysctl of the whole machine is not set, and the error says so.
func ExampleHost_SetSysctl() {
	_, server := netlab.New(t).Pair()
	err := server.SetSysctl("net.core.netdev_max_backlog", "2000")
	if refused, ok := errors.AsType[*netlab.SysctlError](err); ok {
		fmt.Println(refused.Key)
	}
}

// The packets of both hosts go through the test, one by one; netlab/wire does it with
// a clock and rules.
func ExampleLab_TUNPair() {
	if err := netlab.TUNAvailable(); err != nil {
		t.Skip(err)
	}
	client, server := netlab.New(t).TUNPair()
	packet := make([]byte, 1500)
	n, err := unix.Read(client.FD(), packet) // EAGAIN: the client has sent nothing
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Write(server.FD(), packet[:n]); err != nil {
		t.Fatal(err)
	}
}

func ExampleParseCounters() {
	c, err := netlab.ParseCounters(strings.NewReader("TcpExt: ListenOverflows ListenDrops\nTcpExt: 331 400\n" +
		"Tcp: CurrEstab OutRsts\nTcp: 12 69\n"))
	fmt.Println(c, err)
	// Output: ListenDrops 400, ListenOverflows 331, OutRsts 69 <nil>
}
