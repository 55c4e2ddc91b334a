package netlab

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

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
		Role{"no-tun", runWithoutTUN},
	)
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

func without(environ []string, variable string) []string {
	var rest []string
	for _, entry := range environ {
		if !strings.HasPrefix(entry, variable+"=") {
			rest = append(rest, entry)
		}
	}
	return rest
}

func TestPlayNamesTheRolesThereAre(t *testing.T) {
	output, status := rerun(t, "none", func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, roleVariable+"=typo") })
	if want := `no role "typo" was given to netlab.Main, which has: tree, listener, daemon, orphan, busy, deaf`; status != 2 || !strings.Contains(output, want) {
		t.Errorf("exit status %d, want 2 and %q; output: %s", status, want, output)
	}
}
