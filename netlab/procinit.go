package netlab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The init of a program's PID namespace is this same binary. It speaks with the
// test process over a socket of messages; see Proc for the other end.
const (
	initVariable  = "RSTLAB_INIT" // set: be the init
	initControlFD = 3
	initNetnsFD   = 4
	maxMessage    = 4096

	requestPause     = "pause"
	requestResume    = "resume"
	requestTerminate = "terminate"
	requestLimit     = "limit" // and a quota and a period in microseconds, and a folder

	replyOK     = "ok"
	replyExited = "exited: "

	exitEnded      = 1 // exit status: all is well; at 0 the race detector would first wait a second (atexit_sleep_ms)
	exitCgroupLeft = 3 // exit status: the program's cgroup could not be removed
)

// allProcesses as the argument of kill(2) means every process of the caller's PID
// namespace but the caller itself. The kernel walks them under one lock, so that
// none escapes by forking.
const allProcesses = -1

// runInit is the first process of a PID namespace: it runs the program args[1:],
// whose file is args[0], in the host's network namespace, carries out requests,
// reaps whatever is orphaned, and when nobody is left removes the program's cgroup. Its
// end is the end of every process in the namespace. It must run on the main thread, so
// that its child is in the host's network namespace too.
func runInit(args []string) int {
	control := os.NewFile(initControlFD, "control")
	pid, err := initStart(args)
	if err != nil {
		say(control, err.Error())
		return 1
	}
	say(control, replyOK)
	var group cgroup
	go serveRequests(control, &group)
	status := reapAll(pid)
	say(control, replyExited+status)
	if err := group.remove(); err != nil {
		fmt.Fprintln(os.Stderr, "netlab:", err)
		return exitCgroupLeft
	}
	return exitEnded
}

// say sends a message to the test process. If that has gone, so will this process
// at its next read.
func say(control *os.File, message string) {
	_, _ = control.WriteString(message[:min(len(message), maxMessage)])
}

// leftBehind is what the init says at its end to a test process that has closed the
// socket.
func leftBehind(init *os.ProcessState) error {
	if init.ExitCode() == exitCgroupLeft {
		return errors.New("the cgroup of a program is left behind; the test's log says why")
	}
	return nil
}

func initStart(args []string) (pid int, err error) {
	if err := unix.Setns(initNetnsFD, unix.CLONE_NEWNET); err != nil {
		return 0, os.NewSyscallError("setns", err)
	}
	if err := mountProc(); err != nil {
		return 0, err
	}
	unix.CloseOnExec(initControlFD)
	unix.CloseOnExec(initNetnsFD)
	if err := os.Unsetenv(initVariable); err != nil {
		return 0, err
	}
	return syscall.ForkExec(args[0], args[1:], &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}})
}

// mountProc makes /proc show the PID namespace that the process is in, for this
// mount namespace only.
func mountProc() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	return nil
}

// serveRequests carries out what the test process asks for, until it closes the
// socket or is gone: then it kills all others, and this process ends when they are reaped.
func serveRequests(control *os.File, group *cgroup) {
	requests := make(chan string)
	go func() {
		for request := range requests {
			reply := replyOK
			if err := carryOut(request, group); err != nil {
				reply = err.Error()
			}
			say(control, reply)
		}
	}()
	buffer := make([]byte, maxMessage)
	for {
		n, err := control.Read(buffer)
		if err != nil || n == 0 {
			killAll(group)
			return
		}
		requests <- string(buffer[:n]) // the next one comes after the reply
	}
}

// killAll ends every other process. Nothing is printed here: the reader of this
// process's output may be gone, and to print would be its end by SIGPIPE.
func killAll(group *cgroup) {
	_ = unix.Kill(allProcesses, unix.SIGKILL) // fails if there is nobody left
	_ = group.lift()                          // or else they die in their next periods
}

func carryOut(request string, group *cgroup) error {
	if limit, ok := strings.CutPrefix(request, requestLimit+" "); ok {
		return group.limit(limit)
	}
	switch request {
	case requestPause:
		if err := unix.Kill(allProcesses, unix.SIGSTOP); err != nil {
			return os.NewSyscallError("kill", err)
		}
		return awaitStopped()
	case requestResume:
		return os.NewSyscallError("kill", unix.Kill(allProcesses, unix.SIGCONT))
	case requestTerminate:
		if err := unix.Kill(allProcesses, unix.SIGTERM); err != nil {
			return os.NewSyscallError("kill", err)
		}
		// A stopped process takes the signal when it goes on.
		return os.NewSyscallError("kill", unix.Kill(allProcesses, unix.SIGCONT))
	}
	return fmt.Errorf("unknown request %q", request)
}

// reapAll waits until no process is left and tells how the program ended. A server
// that puts itself into the background goes on to be reaped as an orphan.
func reapAll(pid int) string {
	how := "unknown"
	for {
		var status unix.WaitStatus
		reaped, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case err == unix.EINTR:
		case err != nil: // ECHILD: none is left
			return how
		case reaped == pid:
			how = describe(status)
		}
	}
}

func describe(status unix.WaitStatus) string {
	if status.Signaled() {
		return "signal: " + status.Signal().String()
	}
	return fmt.Sprintf("exit status %d", status.ExitStatus())
}

// stopTimeout bounds the wait for processes to stand still; one that is in an
// uninterruptible system call does so only at its end.
const stopTimeout = 5 * time.Second

// awaitStopped returns when all threads of all other processes are stopped.
// SIGSTOP takes effect when a thread next leaves the kernel, and for processes
// that are not its children nobody is told of it, so the states are read again.
func awaitStopped() error {
	for deadline := time.Now().Add(stopTimeout); ; {
		running, err := runningThreads()
		if err != nil || len(running) == 0 {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not stopped after %v: %s", stopTimeout, strings.Join(running, ", "))
		}
		time.Sleep(100 * time.Microsecond)
	}
}

// runningThreads lists the threads, other than this process's own, that are neither
// stopped nor dead.
func runningThreads() ([]string, error) {
	files, err := filepath.Glob("/proc/[0-9]*/task/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	var running []string
	for _, file := range files {
		if strings.HasPrefix(file, "/proc/1/") {
			continue
		}
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended since
		}
		if thread := parseStat(string(stat)); !strings.Contains("TtZX", thread.state) {
			running = append(running, fmt.Sprintf("%s (state %s)", thread.name, thread.state))
		}
	}
	return running, nil
}

// socketPair makes a pair of connected sockets that keep message boundaries.
func socketPair() (ours, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	if err := unix.SetNonblock(fds[0], true); err != nil { // ours waits in the poller
		return nil, nil, errors.Join(os.NewSyscallError("fcntl", err), unix.Close(fds[0]), unix.Close(fds[1]))
	}
	return os.NewFile(uintptr(fds[0]), "control"), os.NewFile(uintptr(fds[1]), "control"), nil
}
