package main

import (
	"testing"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// The test binary plays the server too, so nothing has to be built first.
func TestMain(m *testing.M) { netlab.Main(m, netlab.Role{Name: "hello", Run: serve}) }

func TestBurst(t *testing.T) {
	lab := netlab.New(t)
	client, server := lab.Pair()
	server.Sysctl("net.ipv4.tcp_abort_on_overflow", "1")
	server.StartRole("hello", ":8080").WaitListening(8080)
	result, err := loadclient.Run(t.Context(), loadclient.Config{
		Target: "http://" + server.Addr() + ":8080/", Clients: 400, Control: client.Control,
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := result.Fates[scenario.Served]; n != 400 {
		t.Errorf("%d of 400 clients were served\n%v\n%v", n, result, server.AcceptQueue(8080))
	}
}
