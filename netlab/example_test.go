package netlab_test

import (
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/rstlab/rstlab/servers"
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
