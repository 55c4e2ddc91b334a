package netlab

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

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
