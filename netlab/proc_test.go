package netlab

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// treeServer is a server whose listener belongs to a grandchild.
func treeServer(t *testing.T) (client, server *Host, p *Proc) {
	client, server = New(t).Pair()
	return client, server, server.StartRole("tree", ":8080").WaitListening(8080)
}

// A paused server does not accept, none of its processes does, and the kernel goes on
// to complete handshakes; resumed, it accepts them all.
func TestPauseStopsTheWholeTree(t *testing.T) {
	t.Parallel()
	client, server, p := treeServer(t)
	p.Pause()
	for want := range uint32(5) {
		if got := server.AcceptQueue(8080).Length; got != want {
			t.Errorf("%d connections wait while the server is paused, want %d", got, want)
		}
		dial(t, client, server.Addr()+":8080")
	}
	p.Resume()
	await(t, "the resumed server to accept", func() bool { return server.AcceptQueue(8080).Length == 0 })
	p.Pause()
	dial(t, client, server.Addr()+":8080")
	if got := server.AcceptQueue(8080).Length; got != 1 {
		t.Errorf("%d connections wait while the server is paused again, want 1", got)
	}
}

func TestStopEndsTheWholeTree(t *testing.T) {
	t.Parallel()
	for _, paused := range []bool{false, true} {
		t.Run(fmt.Sprintf("paused=%v", paused), func(t *testing.T) {
			t.Parallel()
			_, server, p := treeServer(t)
			if paused {
				p.Pause()
			}
			if status := p.Stop(); status != "signal: terminated" {
				t.Errorf("Stop says %q, want signal: terminated", status)
			}
			if queues := server.AcceptQueues(); len(queues) != 0 {
				t.Errorf("a child still listens: %v", queues)
			}
			if again := p.Stop(); again != "signal: terminated" {
				t.Errorf("the second Stop says %q, want the same", again)
			}
			select {
			case <-p.Done():
			default:
				t.Error("Done is not closed after Stop")
			}
			if err := p.ask(requestPause); err == nil || err.Error() != "pause tree: it has ended: signal: terminated" {
				t.Errorf("Pause after Stop: %v", err)
			}
		})
	}
}

func TestStopKillsWhatDoesNotHear(t *testing.T) {
	t.Parallel()
	r := newRecorder(t)
	_, server := New(r).Pair()
	p := server.StartRole("deaf")
	r.awaitOutput("server/deaf: deaf\n")
	if status := p.stop(10 * time.Millisecond); status != "killed" {
		t.Errorf("Stop says %q, want killed", status)
	}
}

// When Pause returns, no thread of any process runs any more.
func TestPauseWaitsForEveryThread(t *testing.T) {
	t.Parallel()
	r := newRecorder(t)
	_, server := New(r).Pair()
	p := server.StartRole("busy")
	r.awaitOutput("server/busy: busy\n")
	for range 20 {
		p.Pause()
		threads := threadsBelow(t, p.cmd.Process.Pid)
		if len(threads) < 4 {
			t.Fatalf("%d threads found below the init, want at least 4", len(threads))
		}
		for _, thread := range threads {
			if thread.state != "T" {
				t.Fatalf("a thread of %s is in state %s after Pause, want T", thread.name, thread.state)
			}
		}
		p.Resume()
	}
}

// threadsBelow lists the threads of the children of a process.
func threadsBelow(t *testing.T, parent int) []stat {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/task/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var threads []stat
	for _, file := range files {
		text, err := os.ReadFile(file)
		if thread := parseStat(string(text)); err == nil && thread.parent == parent {
			threads = append(threads, thread)
		}
	}
	return threads
}

// A server that puts itself into the background is still one with its program.
func TestProcOutlivesItsProgram(t *testing.T) {
	t.Parallel()
	client, server := New(t).Pair()
	p := server.StartRole("daemon", ":8080").WaitListening(8080)
	p.Pause()
	dial(t, client, server.Addr()+":8080")
	if q := server.AcceptQueue(8080); q.Length != 1 {
		t.Errorf("the daemon was not paused: %v", q)
	}
	if status := p.Stop(); status != "exit status 0" {
		t.Errorf("Stop says %q, want that of the program, exit status 0", status)
	}
	if queues := server.AcceptQueues(); len(queues) != 0 {
		t.Errorf("the daemon still listens: %v", queues)
	}
}

func TestRoleErrorIsItsExitStatus(t *testing.T) {
	t.Parallel()
	r := newRecorder(t)
	_, server := New(r).Pair()
	p := server.StartRole("listener", "no address")
	await(t, "the role to end", p.ended)
	if status := p.Stop(); status != "exit status 1" {
		t.Errorf("it ended with %q, want exit status 1", status)
	}
	if want := "server/listener: listen tcp: address no address: missing port in address\n"; r.text() != want {
		t.Errorf("it printed %q, want %q", r.text(), want)
	}
}

func (p *Proc) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// The lab's end kills every process of a program, and only those.
func TestCloseKillsTheWholeTree(t *testing.T) {
	t.Parallel()
	_, bystander, _ := treeServer(t)
	var p *Proc
	var server *Host
	t.Run("inner", func(t *testing.T) { _, server, p = treeServer(t) })
	await(t, "the inner test's server to end", p.ended)
	if q := bystander.AcceptQueue(8080); q.Addr.Port() != 8080 {
		t.Errorf("the other lab's server is gone: %v", q)
	}
	if _, err := server.StartCommand(exec.Command("true")); err == nil {
		t.Error("a program was started in a host that is closed")
	}
}

func TestOutputGoesToTheLog(t *testing.T) {
	t.Parallel()
	r := newRecorder(t)
	_, server := New(r).Pair()
	p := server.Start("sh", "-c", "echo one; echo two >&2; printf three; exit 3")
	await(t, "the program to end", p.ended)
	if status := p.Stop(); status != "exit status 3" {
		t.Errorf("it ended with %q, want exit status 3", status)
	}
	if want := "server/sh: one\nserver/sh: two\nserver/sh: three\n"; r.text() != want {
		t.Errorf("log:\n%swant:\n%s", r.text(), want)
	}
}

func TestProgramIsInTheHost(t *testing.T) {
	t.Parallel()
	r := newRecorder(t)
	_, server := New(r).Pair()
	server.Sysctl("net.core.somaxconn", "77")
	cmd := exec.Command("sh", "-c", "echo $GREETING; pwd; cat /proc/sys/net/core/somaxconn; echo /proc/[0-9]*; ls /proc/self/fd")
	cmd.Env = append(cmd.Environ(), "GREETING=hello")
	cmd.Dir = "/"
	p, err := server.StartCommand(cmd)
	if err != nil {
		t.Fatal(err)
	}
	await(t, "the program to end", p.ended)
	got := strings.Fields(strings.ReplaceAll(r.text(), "server/sh: ", ""))
	// In its PID namespace the init is process 1. Of the init's descriptors, number 3
	// and 4 are its own; 3 is here the folder that ls reads.
	if len(got) < 6 || !slices.Equal(got[:4], []string{"hello", "/", "77", "/proc/1"}) || slices.Contains(got[4:], "4") {
		t.Errorf("the program printed %q", got)
	}
}

func TestStartErrors(t *testing.T) {
	t.Parallel()
	_, server := New(t).Pair()
	for _, c := range []struct {
		cmd  *exec.Cmd
		want string
	}{
		{&exec.Cmd{Path: "/no/such/file"}, "start file: no such file or directory"},
		{&exec.Cmd{Path: "/bin/true", Stdout: io.Discard}, "start true: of a command, only Path, Args, Env and Dir can be set; its output goes to the test's log"},
		{exec.Command("no-such-program"), `start no-such-program: exec: "no-such-program": executable file not found in $PATH`},
		{exec.Command("/dev/null"), "start null: permission denied"},
		{&exec.Cmd{Path: "/no/such/file", Args: []string{"file"}}, "start file: no such file or directory"},
	} {
		if _, err := server.StartCommand(c.cmd); err == nil || err.Error() != c.want {
			t.Errorf("StartCommand(%v) = %v, want %s", c.cmd.Args, err, c.want)
		}
	}
}

func TestWaitListeningSaysWhatHappened(t *testing.T) {
	t.Parallel()
	_, server := New(t).Pair()
	got := fatal(t, server, func() { server.Start("sh", "-c", "echo no config; exit 3").WaitListening(8080) })
	want := "netlab: host server: sh ended before it listened on port 8080: exit status 3; it printed last:\n\tno config"
	if got != want {
		t.Errorf("Fatalf said %q, want %q", got, want)
	}
	got = fatal(t, server, func() { server.Start("true").WaitListening(8080) })
	if want := "netlab: host server: true ended before it listened on port 8080: exit status 0; it printed nothing"; got != want {
		t.Errorf("Fatalf said %q, want %q", got, want)
	}
}

func TestWaitListeningNamesTheOtherPort(t *testing.T) {
	t.Parallel()
	_, server := New(t).Pair()
	p := server.StartRole("listener", ":9000").WaitListening(9000)
	err := p.awaitListening(8080, time.Millisecond)
	if want := "listener does not listen on port 8080 after 1ms; listening in the host: [[::]:9000]; ask for one of these ports"; err == nil || err.Error() != want {
		t.Errorf("WaitListening says %v, want %s", err, want)
	}
}

func TestParseStat(t *testing.T) {
	for _, c := range []struct {
		text string
		want stat
	}{
		{"12 (sh) T 1 12 0", stat{"sh", "T", 1}},
		{"12 (a) R (b) S 34 1", stat{"a) R (b", "S", 34}},
		{"", stat{"", "?", 0}},
		{"12 (sh) ", stat{"12 (sh) ", "?", 0}},
		{"12 (sh) S", stat{"12 (sh) S", "?", 0}},
	} {
		if got := parseStat(c.text); got != c.want {
			t.Errorf("parseStat(%q) = %+v, want %+v", c.text, got, c.want)
		}
	}
}

func TestLineLogKeepsTheLastLines(t *testing.T) {
	l := newLineLog(io.Discard, "")
	if got := l.lastLines(); got != "; it printed nothing" {
		t.Errorf("before any output: %q", got)
	}
	for i := range keptLines + 5 {
		fmt.Fprintf(l, "line %d\n", i)
	}
	lines := strings.Split(l.lastLines(), "\n\t")
	if len(lines) != keptLines+1 || lines[1] != "line 5" || lines[keptLines] != "line 24" {
		t.Errorf("kept %d lines, from %q to %q; want the last %d", len(lines)-1, lines[1], lines[len(lines)-1], keptLines)
	}
}
