package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// stalling answers the first request of each client, and no other. It calls then when so
// many clients have asked again.
func stalling(t *testing.T, clients int64, then func()) (url string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	t.Cleanup(func() { ln.Close(); serving.Wait() })
	var again atomic.Int64
	serve := func(conn net.Conn) {
		defer conn.Close()
		requests := bufio.NewReader(conn)
		if _, err := http.ReadRequest(requests); err != nil {
			return
		}
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		if _, err := http.ReadRequest(requests); err == nil && again.Add(1) == clients {
			then()
		}
		io.Copy(io.Discard, requests)
	}
	serving.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { serve(conn) })
		}
	})
	return "http://" + ln.Addr().String()
}

// stopped wants every client to be accounted for: so many that had one answer, and so many
// that were to come later.
func stopped(t *testing.T, r loadclient.Result, how string, answered, later int) {
	t.Helper()
	texts := map[string]int{}
	for _, c := range r.Clients {
		texts[c.Error] += max(c.Answered, 1)
	}
	if r.Fates[scenario.Failed] != answered+later || texts["cancelled: "+how] != answered || texts["cancelled before its start"] != later {
		t.Errorf("%v, which say %v; want %d failed, %d of them after an answer and %d before their start", r.Fates, texts, answered+later, answered, later)
	}
}

// SIGINT and SIGTERM end a run with every client accounted for. This test and the next
// ones are not parallel: a signal is for all runs of a process.
func TestInterrupted(t *testing.T) {
	for _, test := range []struct {
		signal syscall.Signal
		name   string
		status int
	}{{syscall.SIGINT, "interrupted", 130}, {syscall.SIGTERM, "terminated", 143}} {
		for _, engine := range []string{"epoll", "http"} {
			url := stalling(t, 20, func() { syscall.Kill(os.Getpid(), test.signal) })
			status, stdout, stderr := swarm("-engine", engine, "-arrivals", `[{"clients":20},{"clients":5,"at":"1h"}]`, "-requests", "2",
				"-timeout", "2h", "-max-time", "3h", "-json", "-", url)
			if status != test.status || !strings.HasSuffix(stderr, "swarm: "+test.name+"\n") || !strings.Contains(stderr, ": failed 25\n") {
				t.Errorf("%s: status %d, and it says\n%swant %d and to be %s", engine, status, stderr, test.status, test.name)
			}
			stopped(t, resultOf(t, stdout), test.name, 20, 5)
		}
	}
}

// A Ctrl-C at the terminal goes to the child processes too, where clients are more than
// descriptors.
func TestInterruptedWithChildren(t *testing.T) {
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", `ulimit -n 110; exec "$0" "$@"`, binary)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	group := make(chan int, 1)
	url := stalling(t, 100, func() { syscall.Kill(-<-group, syscall.SIGINT) })
	cmd.Args = append(cmd.Args, "-clients", "100", "-requests", "2", "-json", "-", url)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	group <- cmd.Process.Pid
	err = cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 130 || !strings.HasSuffix(stderr.String(), "swarm: interrupted\n") {
		t.Errorf("it ended with %v, and said\n%s", err, stderr.String())
	}
	r := resultOf(t, stdout.String())
	stopped(t, r, "interrupted", 100, 0)
	if r.Processes < 3 {
		t.Errorf("%d processes ran the clients, want 3 or more", r.Processes)
	}
}

// Who is stopped while it waits for the others has made no client.
func TestInterruptedBeforeItBegan(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		if conn, err := ln.Accept(); err == nil {
			defer conn.Close()
			syscall.Kill(os.Getpid(), syscall.SIGINT)
			io.Copy(io.Discard, conn)
		}
	}()
	status, _, stderr := swarm("-shard", "1/2", "-meet", ln.Addr().String(), hello(t))
	if status != 130 || stderr != "swarm: interrupted\n" {
		t.Errorf("status %d, and it says %q, want 130 and that it was interrupted", status, stderr)
	}
}
