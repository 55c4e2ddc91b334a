package netlab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

const (
	innerVariable = "RSTLAB_INNER" // set: this process was started by runRootless
	probeRole     = "netlab-probe"
)

// rootlessCommand is this binary once more, as root of a user namespace, in
// network, mount and PID namespaces that end with it. The kernel kills it when
// the calling thread ends: call it on the main thread.
func rootlessCommand(variable string, args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), variable)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWPID,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   unix.SIGKILL,
	}
	return cmd
}

// probeRootless tries in a child process all that a lab will need. The child gets the
// same arguments, for a program that looks at them before it calls Main.
func probeRootless() error {
	output, err := rootlessCommand(roleVariable+"="+probeRole, os.Args[1:]...).CombinedOutput()
	if _, ran := errors.AsType[*exec.ExitError](err); ran {
		return errors.New(strings.TrimSpace(string(output)))
	}
	return err
}

// runProbe mounts a /proc, makes a network namespace and brings an interface up.
// AppArmor lets a process create a user namespace and then denies it all of this.
func runProbe([]string) error {
	if err := mountProc(); err != nil {
		return err
	}
	return onThread(func() error {
		ns, err := netns.New()
		if err != nil {
			return os.NewSyscallError("unshare", err)
		}
		defer ns.Close()
		return loopbackUp()
	})
}

// runRootless runs the tests in the child and returns its exit status.
func runRootless() int {
	cmd := rootlessCommand(innerVariable+"=1", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return complain(fmt.Errorf("run the tests in a user namespace: %w", err))
	}
	forwardSignals(cmd.Process)
	err := cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Exited() {
		return exit.ExitCode()
	} else if err != nil {
		return complain(fmt.Errorf("run the tests in a user namespace: %w", err))
	}
	return 0
}

// forwardSignals passes on what go test and a user at the terminal may send.
func forwardSignals(to *os.Process) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGQUIT, unix.SIGHUP)
	go func() {
		for s := range signals {
			// An error means that it has ended, and Wait is about to say so.
			_ = to.Signal(s)
		}
	}()
}

// enterInner makes the namespaces that the tests now run in a machine of their own:
// /proc shows its processes, and 127.0.0.1 works. It hides from their children how
// they came to be there.
func enterInner() error {
	if err := mountProc(); err != nil {
		return err
	}
	if err := loopbackUp(); err != nil {
		return err
	}
	return os.Unsetenv(innerVariable)
}

// loopbackUp sets lo up in the calling thread's namespace.
func loopbackUp() error {
	if err := netlink.LinkSetUp(byIndex(loopbackIndex)); err != nil {
		return fmt.Errorf("set interface lo up: %w", err)
	}
	return nil
}

// refusal words why no lab can be had and what to type. root is why this process
// cannot make a namespace itself, rootless why not in a user namespace; it is nil
// if Main did not try.
func refusal(root, rootless error) string {
	if rootless == nil {
		return fmt.Sprintf("no network namespace can be made here: %s\n"+
			"call netlab.Main in TestMain, which tries a user namespace, or run as root: go test -exec 'sudo -E' ./...", inWords(root))
	}
	return fmt.Sprintf("no network namespace can be made here: %s\n(this user: %s; in a user namespace: %s)",
		cure(readSwitch), inWords(root), inWords(rootless))
}

// inWords is the error's text. The kernel has no errno for too many namespaces and
// says ENOSPC, as if a disk were full.
func inWords(err error) string {
	if errors.Is(err, unix.ENOSPC) {
		return "the limit of namespaces is reached"
	}
	return err.Error()
}

// cure names the switch that forbids user namespaces and the command that sets it.
func cure(read func(key string) string) string {
	for _, s := range []struct{ key, off, on, who string }{
		{"kernel.apparmor_restrict_unprivileged_userns", "1", "0", "AppArmor restricts user namespaces"},
		{"kernel.unprivileged_userns_clone", "0", "1", "user namespaces are for root only"},
		{"user.max_user_namespaces", "0", "15000", "no user namespace is allowed"},
		{"user.max_net_namespaces", "0", "15000", "no network namespace is allowed"},
	} {
		if read(s.key) == s.off {
			return fmt.Sprintf("%s; type: sudo sysctl -w %s=%s, or run as root: go test -exec 'sudo -E' ./...", s.who, s.key, s.on)
		}
	}
	return "run as root: go test -exec 'sudo -E' ./... (in a container: start it with --privileged)"
}

// readSwitch gives the value of one of the machine's sysctls; empty if it has none.
func readSwitch(key string) string {
	value, err := readSysctl(key)
	if err != nil {
		return ""
	}
	return value
}
