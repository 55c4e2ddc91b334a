package main

import (
	"testing"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab/diagnose"
	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/rstlab/rstlab/netlab/wire"
	"github.com/rstlab/rstlab/netlab/witness"
)

// Ten connections wait for a server that stands still when fifteen handshakes complete.
// With a limit of 16 the accept queue holds 17: seven fit in, eight are reset, and the
// evidence alone names the cause. With a limit of 64 all fit.
func TestCauseOfTheResets(t *testing.T) {
	t.Run("somaxconn=16", func(t *testing.T) { testCause(t, "16", "served 7, reset 8", 8) })
	t.Run("somaxconn=64", func(t *testing.T) { testCause(t, "64", "served 15", 0) })
}

func testCause(t *testing.T, somaxconn, fates string, resets int) {
	const waiting, clients, ipv6 = 10, 15, false
	plug := wire.NewPlug(t) // client ──veth── server, whose SYN-ACKs can be held back as a long way would
	client, server := plug.Client, plug.Server
	server.Sysctl("net.ipv4.tcp_abort_on_overflow", "1")
	server.Sysctl("net.core.somaxconn", somaxconn)
	hello := server.StartRole("hello", ":8080").WaitListening(8080)
	recording := witness.Record(t, witness.Config{}, client, server)

	hello.Pause()
	check(t, plug.Release(ipv6))
	for range waiting {
		conn, err := client.DialContext(t.Context(), "tcp", server.Addr()+":8080")
		check(t, err)
		defer conn.Close()
	}
	await(t, "10 connections wait", func() bool { return server.AcceptQueue(8080).Length == waiting })
	check(t, plug.Hold(ipv6))
	var evidence scenario.Evidence
	var result loadclient.Result
	var err error
	decided := make(chan struct{})
	go func() {
		defer close(decided)
		result, err = loadclient.Run(t.Context(), loadclient.Config{
			Target: "http://" + server.Addr() + ":8080/", Clients: clients, Control: client.Control,
			Decided: func() { evidence = recording.Stop() }, // before the connections close
		})
	}()
	await(t, "15 handshakes are under way", func() bool { return len(server.SYNQueue(8080)) == clients })
	check(t, plug.Release(ipv6))
	await(t, "no handshake is under way", func() bool { return len(server.SYNQueue(8080)) == 0 })
	hello.Resume()

	<-decided
	check(t, err)
	if result.Fates.String() != fates {
		t.Errorf("fates are %v, want %s\n%v", result.Fates, fates, result)
	}
	report := diagnose.Run(evidence)
	named := 0
	for _, count := range report.Summary.Causes {
		t.Logf("%d connections: %s (%s)", count.Flows, count.Cause.What(), count.Grade)
		if count.Cause == diagnose.AcceptOverflowAbort && count.Grade == diagnose.Certain {
			named = count.Flows
		}
	}
	if named != resets || !report.Balanced() {
		t.Errorf("%d connections are %s, want %d and balanced books\n%+v", named, diagnose.AcceptOverflowAbort, resets, report.Summary)
	}
}

// await returns when something has happened, and ends the test after five seconds.
func await(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !happened(); {
		if time.Now().After(deadline) {
			t.Fatalf("after 5 s it is still not so that %s", what)
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
