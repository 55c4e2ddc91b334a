package netlab

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Proc is a program that runs in a host, with all processes that it starts. They
// live in a PID namespace of their own, so that they can be stopped, continued
// and killed as one, and end with the test process whatever becomes of it. Proc
// ends when the last of them has. Its methods are safe for concurrent use.
type Proc struct {
	host    *Host
	name    string
	cmd     *exec.Cmd // the init of the PID namespace: this binary, see runInit
	control *os.File  // our end of the socket to the init
	output  *lineLog

	asking  sync.Mutex  // one request at a time
	replies chan string // to the request under way
	limit   cpuLimit

	done   chan struct{} // closed when all processes have ended
	status string        // how the program ended; valid after done
	left   error         // what could not be cleaned up; valid after done
}

// stopGrace is how long a program may take to end after SIGTERM.
const stopGrace = 5 * time.Second

// Start runs a program in the host. Its output goes to the test's log, each line
// with the program's name in front. It is killed with all its children when the
// lab closes. TestMain must call [Main].
//
// Sysctls that the program's listeners depend on, such as net.core.somaxconn, must
// be set before. Go test does not know the program: with -count=1 it runs again
// when only the program has changed.
func (h *Host) Start(name string, args ...string) *Proc {
	h.lab.tb.Helper()
	return h.mustStart(exec.Command(name, args...))
}

// StartRole runs this same test binary in the host, in one of the roles given to
// [Main].
func (h *Host) StartRole(role string, args ...string) *Proc {
	h.lab.tb.Helper()
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Args[0] = role
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	return h.mustStart(cmd)
}

func (h *Host) mustStart(cmd *exec.Cmd) *Proc {
	h.lab.tb.Helper()
	p, err := h.StartCommand(cmd)
	if err != nil {
		h.lab.tb.Fatalf("netlab: host %s: %v", h.name, err)
	}
	return p
}

// StartCommand runs a program in the host as Start does, with the Path, Args, Env
// and Dir of cmd; its other fields must be zero. The error says what kept the
// program from being started.
func (h *Host) StartCommand(cmd *exec.Cmd) (*Proc, error) {
	name := filepath.Base(cmd.Path)
	if len(cmd.Args) > 0 {
		name = filepath.Base(cmd.Args[0])
	}
	if err := checkCommand(cmd); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &Proc{
		host: h, name: name, output: newLineLog(h.lab.tb.Output(), h.name+"/"+name+": "),
		replies: make(chan string), done: make(chan struct{}),
	}
	if err := p.start(cmd); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	h.mu.Lock()
	closed := h.closed
	h.procs = append(h.procs, p)
	h.mu.Unlock()
	if closed {
		return nil, errors.Join(fmt.Errorf("start %s: host %s is closed", name, h.name), p.kill())
	}
	return p, nil
}

// checkCommand refuses what StartCommand could not do.
func checkCommand(cmd *exec.Cmd) error {
	switch {
	case !mainRuns.Load():
		return errors.New("a program is started by way of this test binary, so TestMain must call netlab.Main")
	case cmd.Err != nil:
		return cmd.Err
	case cmd.Stdin != nil, cmd.Stdout != nil, cmd.Stderr != nil, cmd.ExtraFiles != nil, cmd.SysProcAttr != nil:
		return errors.New("of a command, only Path, Args, Env and Dir can be set; its output goes to the test's log")
	}
	return nil
}

// start runs the init in a PID and a mount namespace of its own. The init enters
// the host's network namespace and runs the program there.
func (p *Proc) start(cmd *exec.Cmd) error {
	ours, theirs, err := socketPair()
	if err != nil {
		return err
	}
	ns, err := p.host.nsFile()
	if err != nil {
		return errors.Join(err, ours.Close(), theirs.Close())
	}
	defer ns.Close()

	args, env := cmd.Args, cmd.Env
	if len(args) == 0 {
		args = []string{cmd.Path}
	}
	if env == nil {
		env = os.Environ()
	}
	p.cmd = &exec.Cmd{
		Path:       "/proc/self/exe",
		Args:       append([]string{"netlab-init", cmd.Path}, args...),
		Env:        append(slices.Clone(env), initVariable+"=1"),
		Dir:        cmd.Dir,
		Stdout:     p.output,
		Stderr:     p.output,
		ExtraFiles: []*os.File{theirs, ns}, // initControlFD, initNetnsFD
		SysProcAttr: &syscall.SysProcAttr{
			Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS,
			Setsid:     true, // a Ctrl-C at the terminal is for the test, which then ends the program
		},
	}
	err = p.cmd.Start()
	theirs.Close() // or an init that dies early would never be seen to
	if err != nil {
		return errors.Join(err, ours.Close())
	}
	p.control = ours
	started := make(chan string, 1)
	go p.readReplies(started)
	if answer := <-started; answer != replyOK {
		answer = cmp.Or(answer, "its first process ended before it had started it")
		return errors.Join(errors.New(answer), p.kill())
	}
	return nil
}

// readReplies receives what the init says until it ends: first whether the program
// was started, then replies to requests, last how the program ended.
func (p *Proc) readReplies(started chan<- string) {
	buffer := make([]byte, maxMessage)
	p.status = "killed"
	replies := started
	for {
		n, err := p.control.Read(buffer)
		if err != nil || n == 0 {
			break
		}
		message := string(buffer[:n])
		if status, ok := strings.CutPrefix(message, replyExited); ok {
			p.status = status
			continue
		}
		replies <- message
		replies = p.replies
	}
	close(started)
	_ = p.cmd.Wait() // for the last process's output too; p.status tells better how it ended
	p.output.flush()
	p.left = leftBehind(p.cmd.ProcessState)
	close(p.done)
}

// ask sends a request to the init and waits until it is carried out.
func (p *Proc) ask(request string) error {
	p.asking.Lock()
	defer p.asking.Unlock()
	if _, err := p.control.Write([]byte(request)); err != nil {
		return fmt.Errorf("%s %s: it has ended: %s", request, p.name, p.endedHow())
	}
	select {
	case reply := <-p.replies:
		if reply != replyOK {
			return fmt.Errorf("%s %s: %s", request, p.name, reply)
		}
		return nil
	case <-p.done:
		return fmt.Errorf("%s %s: it has ended: %s", request, p.name, p.status)
	}
}

func (p *Proc) endedHow() string {
	<-p.done
	return p.status
}

// Pause stops every process of the program with SIGSTOP and returns when all of
// them stand still. The kernel goes on to complete handshakes for its listeners:
// to their clients it is a server that does not accept, as during a long garbage
// collection.
//
// While the accept queue is full, SYNs are dropped, and clients wait rather than be
// reset. Resets come when a queue has made some room and more handshakes are under
// way than fit into it, such as after Resume or with a slow accept loop.
func (p *Proc) Pause() { p.mustAsk(requestPause) }

// Resume continues every process of the program with SIGCONT.
func (p *Proc) Resume() { p.mustAsk(requestResume) }

func (p *Proc) mustAsk(request string) {
	p.host.lab.tb.Helper()
	if err := p.ask(request); err != nil {
		p.host.lab.tb.Fatalf("netlab: host %s: %v%s", p.host.name, err, p.output.lastLines())
	}
}

// Stop asks the program to end with SIGTERM and waits; what has not ended after
// five seconds is killed. It returns how the program ended, such as "exit status
// 0" or "signal: terminated". Stop may be called again.
func (p *Proc) Stop() string { return p.stop(stopGrace) }

func (p *Proc) stop(grace time.Duration) string {
	// An error means that it has ended already, which is what was asked for.
	_ = p.ask(requestTerminate)
	select {
	case <-p.done:
	case <-time.After(grace):
		p.host.lab.tb.Logf("netlab: %s did not end within %v of SIGTERM and was killed", p.name, grace)
	}
	_ = p.kill()
	return p.status
}

// LastLines are the last lines of the program's output, at most 20, in their order.
func (p *Proc) LastLines() []string { return p.output.lines() }

// Ended says how the program ended, with its last lines of output. It is empty while a
// process of the program runs.
func (p *Proc) Ended() string {
	select {
	case <-p.done:
		return p.status + p.output.lastLines()
	default:
		return ""
	}
}

// Done is closed when every process of the program has ended.
func (p *Proc) Done() <-chan struct{} { return p.done }

// kill ends all processes at once: when the socket is closed, the init kills what
// else lives in its PID namespace, and ends.
func (p *Proc) kill() error {
	// readReplies is blocked in the poller; closing unblocks it.
	err := p.control.Close()
	<-p.done
	if errors.Is(err, os.ErrClosed) {
		return p.left
	}
	return errors.Join(err, p.left)
}
