package netlab

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) {
	Main(m,
		Role{"tree", runTree},
		Role{"listener", runListener},
		Role{"daemon", runDaemon},
		Role{"orphan", runOrphan},
		Role{"busy", runBusy},
		Role{"deaf", runDeaf},
		Role{"no-namespaces", runWithoutNamespaces},
	)
}

// runTree is a server whose work is done by a child, as a shell script or a
// supervisor would start it.
func runTree(args []string) error { return roleCommand("listener", args).Run() }

// runDaemon ends at once and leaves a server in the background, which holds the
// other end of a pipe.
func runDaemon(args []string) error {
	alive, held, err := os.Pipe()
	if err != nil {
		return err
	}
	cmd := roleCommand("orphan", args)
	cmd.ExtraFiles = []*os.File{alive}
	defer runtime.KeepAlive(held)
	return cmd.Start()
}

// runOrphan listens when the program that started it has ended, which ends its pipe.
func runOrphan(args []string) error {
	if _, err := io.ReadAll(os.NewFile(3, "alive")); err != nil {
		return err
	}
	return runListener(args)
}

func roleCommand(role string, args []string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd
}

// runBusy keeps several threads running.
func runBusy([]string) error {
	runtime.GOMAXPROCS(4)
	for range 4 {
		go func() {
			for {
				runtime.Gosched()
			}
		}()
	}
	fmt.Println("busy")
	select {}
}

// runListener accepts at once on the address args[0] and keeps every connection.
func runListener(args []string) error {
	ln, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	fmt.Println("listening on", args[0])
	var kept []net.Conn // or the garbage collector would close them
	defer func() { runtime.KeepAlive(kept) }()
	for {
		conn, err := ln.Accept()
		if err != nil {
			return err
		}
		kept = append(kept, conn)
	}
}

// runDeaf does not hear SIGTERM.
func runDeaf([]string) error {
	signal.Ignore(unix.SIGTERM)
	fmt.Println("deaf")
	select {}
}

// runWithoutNamespaces runs the tests where no namespace of any kind can be made.
// It is root of a user namespace of its own, so its limits are its own too.
func runWithoutNamespaces(args []string) error {
	for _, key := range []string{"user.max_user_namespaces", "user.max_net_namespaces"} {
		if err := writeSysctl(key, "0"); err != nil {
			return err
		}
	}
	return unix.Exec("/proc/self/exe", append([]string{os.Args[0]}, args...), without(os.Environ(), roleVariable))
}

func without(environ []string, variable string) []string {
	var rest []string
	for _, entry := range environ {
		if !strings.HasPrefix(entry, variable+"=") {
			rest = append(rest, entry)
		}
	}
	return rest
}

// rerun runs one test of this binary in a process of its own and returns its
// output and exit status.
func rerun(t *testing.T, test string, change func(*exec.Cmd)) (output string, status int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run", "^"+test+"$", "-test.v")
	cmd.Env = without(os.Environ(), "CI")
	if change != nil {
		change(cmd)
	}
	text := &signaller{cmd: cmd}
	cmd.Stdout, cmd.Stderr = text, text
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	}
	return text.String(), cmd.ProcessState.ExitCode()
}

// signaller keeps the output of a command, and sends it the signal it asks for.
type signaller struct {
	strings.Builder
	cmd *exec.Cmd
}

func (s *signaller) Write(p []byte) (int, error) {
	if strings.Contains(string(p), signalMe) {
		if err := s.cmd.Process.Signal(unix.SIGTERM); err != nil {
			return 0, err
		}
	}
	return s.Builder.Write(p)
}

// leakVariable makes one of the TestLeave tests leave its thing behind.
const leakVariable = "NETLAB_TEST_LEAK"

func leaving(t *testing.T, what string) {
	if os.Getenv(leakVariable) != what {
		t.Skip("leaves something behind for TestMainReportsWhatIsLeft, which runs it")
	}
}

func TestLeaveGoroutine(t *testing.T) {
	leaving(t, "Goroutine")
	go func() { select {} }()
}

func TestLeaveDescriptor(t *testing.T) {
	leaving(t, "Descriptor")
	if _, err := unix.Open("/dev/null", unix.O_RDONLY, 0); err != nil {
		t.Fatal(err)
	}
}

func TestLeaveChild(t *testing.T) {
	leaving(t, "Child")
	cmd := exec.Command("sleep", "60")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	runtime.LockOSThread()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

func TestLeaveThread(t *testing.T) {
	leaving(t, "Thread")
	moved := make(chan error)
	go func() {
		runtime.LockOSThread()
		ns, err := netns.New()
		moved <- errors.Join(err, ns.Close())
		runtime.UnlockOSThread() // the mistake
	}()
	if err := <-moved; err != nil {
		t.Fatal(err)
	}
}

// forgetful is a TB whose cleanups never run.
type forgetful struct{ *testing.T }

func (forgetful) Cleanup(func()) {}

func TestLeaveLab(t *testing.T) {
	leaving(t, "Lab")
	New(forgetful{t})
}

func TestMainReportsWhatIsLeft(t *testing.T) {
	New(t) // where labs cannot be had, neither can all of these
	for what, want := range map[string]string{
		"Goroutine":  "found unexpected goroutines",
		"Descriptor": "descriptor ",
		"Child":      "child process ",
		"Thread":     "a thread in another network namespace: ",
		"Lab":        "1 labs that were not closed",
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			output, status := rerun(t, "TestLeave"+what, func(cmd *exec.Cmd) {
				cmd.Env = append(cmd.Env, leakVariable+"="+what)
			})
			if status != 1 || !strings.Contains(output, "the tests passed but left behind: "+want) {
				t.Errorf("exit status %d, want 1 and a report of %q; output:\n%s", status, want, output)
			}
		})
	}
	t.Run("nothing", func(t *testing.T) {
		t.Parallel()
		if output, status := rerun(t, "TestPairConnects", nil); status != 0 || strings.Contains(output, "left behind") {
			t.Errorf("exit status %d, want 0 and no report; output:\n%s", status, output)
		}
	})
}

const nobody = 65534

// rootless tells whether the tests run in a user namespace of one user.
func rootless() bool {
	text, err := os.ReadFile("/proc/self/uid_map") // inside, outside, how many
	fields := strings.Fields(string(text))
	return err == nil && len(fields) == 3 && fields[2] == "1"
}

// asNobody runs the command without any privilege. Where the test is rootless
// already, there is no other user to become.
func asNobody(cmd *exec.Cmd) {
	if !rootless() {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
}

// The namespaces that the tests run in without root are a machine of their own.
func TestMainWithoutRoot(t *testing.T) {
	New(t) // where labs cannot be had at all, neither can this one
	for _, test := range []string{"TestPairConnects", "TestLoopback", "TestLeaveOrphan"} {
		t.Run(test, func(t *testing.T) {
			t.Parallel()
			output, status := rerun(t, test, func(cmd *exec.Cmd) {
				asNobody(cmd)
				cmd.Env = append(cmd.Env, leakVariable+"=Orphan")
			})
			if status != 0 || !strings.Contains(output, "--- PASS: "+test) {
				t.Errorf("exit status %d, want 0 and a passed test; output:\n%s", status, output)
			}
		})
	}
}

// The exit status and the signals of the tests pass through.
func TestMainWithoutRootPassesOn(t *testing.T) {
	New(t)
	t.Run("exit status", func(t *testing.T) {
		t.Parallel()
		_, status := rerun(t, "none", func(cmd *exec.Cmd) {
			asNobody(cmd)
			cmd.Args = append(cmd.Args, "-test.no-such-flag")
		})
		if status != 2 { // that of package flag
			t.Errorf("exit status %d, want 2", status)
		}
	})
	t.Run("signal", func(t *testing.T) {
		t.Parallel()
		output, status := rerun(t, "TestLeaveBySignal", func(cmd *exec.Cmd) {
			asNobody(cmd)
			cmd.Env = append(cmd.Env, leakVariable+"=BySignal")
		})
		if status != 0 || !strings.Contains(output, "--- PASS: TestLeaveBySignal") {
			t.Errorf("exit status %d, want 0 and a passed test; output:\n%s", status, output)
		}
	})
}

// TestLeaveBySignal asks the process that started the tests' namespaces for a
// signal, and ends when it has come through.
func TestLeaveBySignal(t *testing.T) {
	leaving(t, "BySignal")
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, unix.SIGTERM)
	defer signal.Stop(terminated)
	fmt.Println(signalMe)
	<-terminated
}

// signalMe is what a rerun test prints to be sent a SIGTERM.
const signalMe = "send me a SIGTERM"

func TestLoopback(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

// TestLeaveOrphan leaves a dead process of which the first process of the PID
// namespace, and so the tests themselves without root, becomes the parent.
func TestLeaveOrphan(t *testing.T) {
	leaving(t, "Orphan")
	ended, orphan, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer ended.Close()
	cmd := exec.Command("sh", "-c", "sleep 0.01 &")
	cmd.Stdout = orphan
	if err := errors.Join(cmd.Run(), orphan.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := ended.Read(make([]byte, 1)); err != io.EOF { // the orphan has closed its output
		t.Fatal(err)
	}
}

// Without any namespace every lab test is skipped with the reason and the cure, and
// fails with the same words in CI.
func TestMainWithoutNamespaces(t *testing.T) {
	New(t)
	const cure = "no network namespace can be made here: " +
		"no user namespace is allowed; type: sudo sysctl -w user.max_user_namespaces=15000"
	for _, c := range []struct {
		ci, verdict string
		status      int
	}{
		{"", "--- SKIP: TestPairConnects", 0},
		{"true", "--- FAIL: TestPairConnects", 1},
	} {
		t.Run("CI="+c.ci, func(t *testing.T) {
			t.Parallel()
			output, status := rerun(t, "TestPairConnects", func(cmd *exec.Cmd) {
				cmd.Env = append(cmd.Env, "CI="+c.ci, roleVariable+"=no-namespaces")
				cmd.SysProcAttr = &syscall.SysProcAttr{
					Cloneflags:  unix.CLONE_NEWUSER,
					UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
					GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
				}
			})
			if status != c.status || !strings.Contains(output, c.verdict) || !strings.Contains(output, cure) {
				t.Errorf("exit status %d, want %d, %q and %q; output:\n%s", status, c.status, c.verdict, cure, output)
			}
		})
	}
}

func TestPlayNamesTheRolesThereAre(t *testing.T) {
	output, status := rerun(t, "none", func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, roleVariable+"=typo") })
	if want := `no role "typo" was given to netlab.Main, which has: tree, listener, daemon, orphan, busy, deaf`; status != 2 || !strings.Contains(output, want) {
		t.Errorf("exit status %d, want 2 and %q; output: %s", status, want, output)
	}
}

func TestCure(t *testing.T) {
	for _, c := range []struct {
		machine map[string]string
		want    string
	}{
		{map[string]string{"kernel.apparmor_restrict_unprivileged_userns": "1", "user.max_user_namespaces": "9"},
			"AppArmor restricts user namespaces; type: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or run as root: go test -exec 'sudo -E' ./..."},
		{map[string]string{"kernel.unprivileged_userns_clone": "0"},
			"user namespaces are for root only; type: sudo sysctl -w kernel.unprivileged_userns_clone=1, or run as root: go test -exec 'sudo -E' ./..."},
		{map[string]string{"user.max_net_namespaces": "0"},
			"no network namespace is allowed; type: sudo sysctl -w user.max_net_namespaces=15000, or run as root: go test -exec 'sudo -E' ./..."},
		{nil, "run as root: go test -exec 'sudo -E' ./... (in a container: start it with --privileged)"},
	} {
		if got := cure(func(key string) string { return c.machine[key] }); got != c.want {
			t.Errorf("cure of %v:\n got %s\nwant %s", c.machine, got, c.want)
		}
	}
}

func TestRefusalWithoutMain(t *testing.T) {
	got := refusal(errors.New("unshare: operation not permitted"), nil)
	if want := "call netlab.Main in TestMain"; !strings.Contains(got, want) {
		t.Errorf("refusal says %q, want it to say %q", got, want)
	}
}
