package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/rstlab/rstlab/scripts/swarm/internal/meeting"
)

// asProgram is set in a process that is to be the program itself.
const asProgram = "RSTLAB_TEST_SWARM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	netlab.Main(m, swarmRole)
}

// swarmRole is the program in a host of a lab.
var swarmRole = netlab.Role{Name: "swarm", Run: func(args []string) error {
	os.Exit(run(args, os.Stdout, os.Stderr))
	return nil
}}

// swarm runs the program in this process.
func swarm(args ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = run(args, &out, &errs)
	return status, out.String(), errs.String()
}

// hello answers every request.
func hello(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") }))
	t.Cleanup(server.Close)
	return server.URL
}

func resultOf(t *testing.T, text string) loadclient.Result {
	t.Helper()
	var r loadclient.Result
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatalf("the result cannot be read: %v", err)
	}
	if err := r.Check(); err != nil {
		t.Error(err)
	}
	return r
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestRun(t *testing.T) {
	t.Parallel()
	url, folder := hello(t), t.TempDir()
	for _, test := range []struct {
		name string
		args []string
		plan string
		want loadclient.Result
	}{
		{
			"burst", []string{"-clients", "20"},
			"plan     20 clients of " + url + ", at once, 30s for each, engine epoll\n" +
				"limits   20 of 1000 clients, 20 of 1000 connections within a second, 30s of 1m0s\n20 clients of " + url + " in ",
			loadclient.Result{Engine: loadclient.Epoll, Fates: scenario.Fates{scenario.Served: 20}},
		},
		{
			"pace", []string{"-clients", "3", "-gap", "2ms", "-requests", "4", "-think", "1ms", "-timeout", "5s", "-engine", "http"},
			"plan     3 clients of " + url + ", 2ms apart, 4 requests each, 5s for each, engine http\n" +
				"limits   3 of 1000 clients, 3 of 1000 connections within a second, 5.004s of 1m0s\n3 clients of " + url + " in ",
			loadclient.Result{Engine: loadclient.HTTP, Fates: scenario.Fates{scenario.Served: 3}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			csv := filepath.Join(folder, test.name+".csv")
			status, stdout, stderr := swarm(append(test.args, "-json", "-", "-csv", csv, url)...)
			if status != 0 || !strings.HasPrefix(stderr, test.plan) || !strings.Contains(stderr, "\nconnected: ") || !strings.Contains(stderr, "\nthis machine stood still ") {
				t.Errorf("status %d, and it says\n%s\nwant 0 and\n%s...", status, stderr, test.plan)
			}
			r := resultOf(t, stdout)
			if r.Engine != test.want.Engine || !reflect.DeepEqual(r.Fates, test.want.Fates) || strings.Count(stdout, "\n") != 1 {
				t.Errorf("engine %v: %v, want %v: %v, in one line", r.Engine, r.Fates, test.want.Engine, test.want.Fates)
			}
			if n := strings.Count(readFile(t, csv), "\n"); n != 1+len(r.Clients) {
				t.Errorf("the CSV has %d lines, want a header and %d", n, len(r.Clients))
			}
		})
	}
}

// Without -json - the words go to standard output, and the record into a file.
func TestRunIntoFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "result.json")
	status, stdout, stderr := swarm("-clients", "2", "-json", file, hello(t))
	if status != 0 || stderr != "" || !strings.Contains(stdout, ": served 2\n") {
		t.Errorf("status %d, output\n%s%s", status, stdout, stderr)
	}
	if r := resultOf(t, readFile(t, file)); r.Fates[scenario.Served] != 2 {
		t.Errorf("%v in the file, want 2 served", r.Fates)
	}
}

// A server that does not speak HTTP is asked by the engine that can, and the plan says so.
func TestRunOverTCP(t *testing.T) {
	t.Parallel()
	url := strings.Replace(hello(t), "http:", "tcp:", 1)
	status, stdout, _ := swarm("-clients", "5", "-send", `GET / HTTP/1.1\r\nHost: h\r\n\r\n`, "-expect", "HTTP/1.1 200 OK\\r\\n", url)
	if status != 0 || !strings.Contains(stdout, "engine http, since epoll speaks only HTTP\n") || !strings.Contains(stdout, ": served 5\n") {
		t.Errorf("status %d, output\n%s", status, stdout)
	}
}

// A run that took place is no failure, whatever became of the clients.
func TestRunRefused(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	status, stdout, stderr := swarm("-clients", "5", "http://"+ln.Addr().String())
	if status != 0 || stderr != "" || !strings.Contains(stdout, ": refused 5\n") {
		t.Errorf("status %d, output\n%s%s", status, stdout, stderr)
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	const us = time.Microsecond
	for _, test := range []struct {
		shard int
		ahead time.Duration
		want  string
	}{
		{0, 0, "this clock counts, which is known to 80µs"},
		{1, 1200*us + 300, "this clock is 1.2ms ahead of that of shard 0, which is known to 80µs"},
		{1, -7 * us, "this clock is 7µs behind that of shard 0, which is known to 80µs"},
		{2, -300, "this clock is 0s ahead of that of shard 0, which is known to 80µs"},
	} {
		if got := clock(test.shard, meeting.Agreement{Ahead: test.ahead, Error: 80*us + 100}); got != test.want {
			t.Errorf("clock(%d, %v) = %s, want %s", test.shard, test.ahead, got, test.want)
		}
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"-h"}, usage + "  -arrivals waves\n"},
		{[]string{"merge", "-h"}, mergeUsage + "  -csv file\n"},
	} {
		if status, stdout, stderr := swarm(test.args...); status != 0 || stderr != "" || !strings.HasPrefix(stdout, test.want) {
			t.Errorf("%q: status %d, output\n%s%s\nwant\n%s...", test.args, status, stdout, stderr, test.want)
		}
	}
}
