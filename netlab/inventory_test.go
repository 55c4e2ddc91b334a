package netlab

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

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
