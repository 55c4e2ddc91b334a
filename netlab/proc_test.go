package netlab

import (
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// recorder is a TB that keeps what a lab says instead of ending the test.
type recorder struct {
	*testing.T
	mu     sync.Mutex
	output strings.Builder
	fatal  string
}

func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.output.Write(p)
}

func (r *recorder) Output() io.Writer { return r }

func (r *recorder) Fatalf(format string, args ...any) {
	r.fatal = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// fatal gives what f says with Fatalf about the host.
func fatal(t *testing.T, h *Host, f func()) string {
	t.Helper()
	r := &recorder{T: t}
	h.lab.tb = r
	defer func() { h.lab.tb = t }()
	var run sync.WaitGroup
	run.Go(f)
	run.Wait()
	return r.fatal
}

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
	r := &recorder{T: t}
	_, server := New(r).Pair()
	p := server.StartRole("deaf")
	await(t, "the role to be deaf", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.output.String() == "server/deaf: deaf\n"
	})
	if status := p.Stop(); status != "killed" {
		t.Errorf("Stop says %q, want killed", status)
	}
}

// The lab's end kills every process of a program, and only those.
func TestCloseKillsTheWholeTree(t *testing.T) {
	t.Parallel()
	var p *Proc
	var others AcceptQueue
	_, bystander, _ := treeServer(t)
	t.Run("inner", func(t *testing.T) { _, _, p = treeServer(t) })
	<-p.Done()
	if others = bystander.AcceptQueue(8080); others.Addr.Port() != 8080 {
		t.Errorf("the other lab's server is gone: %+v", others)
	}
}

func TestOutputGoesToTheLog(t *testing.T) {
	t.Parallel()
	r := &recorder{T: t}
	_, server := New(r).Pair()
	p := server.Start("sh", "-c", "echo one; echo two >&2; printf three; exit 3")
	<-p.Done()
	if status := p.Stop(); status != "exit status 3" {
		t.Errorf("it ended with %q, want exit status 3", status)
	}
	if want := "server/sh: one\nserver/sh: two\nserver/sh: three\n"; r.output.String() != want {
		t.Errorf("log:\n%swant:\n%s", r.output.String(), want)
	}
}

func TestProgramIsInTheHost(t *testing.T) {
	t.Parallel()
	r := &recorder{T: t}
	_, server := New(r).Pair()
	server.Sysctl("net.core.somaxconn", "77")
	cmd := exec.Command("sh", "-c", "echo $GREETING; pwd; cat /proc/sys/net/core/somaxconn; echo /proc/[0-9]*")
	cmd.Env = append(cmd.Environ(), "GREETING=hello")
	cmd.Dir = "/"
	p, err := server.StartCommand(cmd)
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	got := strings.Split(strings.ReplaceAll(r.output.String(), "server/sh: ", ""), "\n")
	// Its PID namespace has the init, and the shell as process 2 or a little more.
	if len(got) != 5 || !slices.Equal(got[:3], []string{"hello", "/", "77"}) || !strings.HasPrefix(got[3], "/proc/1 /proc/") {
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
	got := fatal(t, server, func() { server.StartRole("listener", ":9000").WaitListening(8080) })
	want := "netlab: host server: listener does not listen on port 8080 after 10s; listening in the host: [[::]:9000]; it printed last:\n\tlistening on :9000"
	if got != want {
		t.Errorf("Fatalf said %q, want %q", got, want)
	}
}

func TestParseStat(t *testing.T) {
	for _, c := range []struct {
		stat, name string
		state      rune
	}{
		{"12 (sh) T 1 12", "sh", 'T'},
		{"12 (a) R (b) S 1", "a) R (b", 'S'},
		{"", "", '?'},
		{"12 (sh) ", "12 (sh) ", '?'},
	} {
		if name, state := parseStat(c.stat); name != c.name || state != c.state {
			t.Errorf("parseStat(%q) = %q, %c; want %q, %c", c.stat, name, state, c.name, c.state)
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
