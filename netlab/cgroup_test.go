package netlab

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// needCPULimit skips the test where no cgroup can be made. That holds in CI too, even for
// root: a container may have no cgroup file system that can be written to, and nothing
// that netlab could be told to do would give it one.
func needCPULimit(t *testing.T) {
	t.Helper()
	if err := CPULimitAvailable(); err != nil {
		t.Skip(err)
	}
}

// The kernel throttles a limited program, and until then has nothing to say about it.
func TestLimitCPUThrottles(t *testing.T) {
	t.Parallel()
	needCPULimit(t)
	_, server := New(t).Pair()
	p := server.StartRole("busy")
	if got := p.CPUStat(); got != (CPUStat{}) {
		t.Errorf("without a limit CPUStat is %+v, want zero", got)
	}
	p.LimitCPU(2*time.Millisecond, 20*time.Millisecond)
	await(t, "the program to be throttled", func() bool { return p.CPUStat().Throttled > 2 })
	if got := p.CPUStat(); got.Periods < got.Throttled || got.ThrottledFor == 0 {
		t.Errorf("CPUStat is %+v, want more periods than were throttled, and some time", got)
	}
}

// Children are limited too, those that there are and those that come, and the init is not.
func TestLimitCPUTakesTheWholeTree(t *testing.T) {
	t.Parallel()
	needCPULimit(t)
	r := newRecorder(t)
	_, server := New(r).Pair()
	p := server.Start("sh", "-c", "sleep 1000 & echo ready; while :; do :; done")
	r.awaitOutput("server/sh: ready\n")
	p.LimitCPU(time.Second, time.Second)
	name := filepath.Base(p.limit.folder)
	for _, child := range childrenOf(t, p.cmd.Process.Pid) {
		if !strings.Contains(cgroupsOf(t, child), name) {
			t.Errorf("process %s is not in the cgroup %s", child, name)
		}
	}
	if strings.Contains(cgroupsOf(t, fmt.Sprint(p.cmd.Process.Pid)), name) {
		t.Errorf("the init is in the cgroup %s too", name)
	}
}

// childrenOf lists the processes below one.
func childrenOf(t *testing.T, parent int) []string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", parent, parent))
	if err != nil {
		t.Fatal(err)
	}
	children := strings.Fields(string(text))
	for _, child := range children {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%s/task/%s/children", child, child))
		if err != nil {
			t.Fatal(err)
		}
		children = append(children, strings.Fields(string(text))...)
	}
	if len(children) < 2 {
		t.Fatalf("the children are %v, want a shell and its own", children)
	}
	return children
}

func cgroupsOf(t *testing.T, pid string) string {
	t.Helper()
	text, err := os.ReadFile("/proc/" + pid + "/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// However a program ends, its cgroup is gone when Done is closed.
func TestLimitCPUEndsWithTheProgram(t *testing.T) {
	t.Parallel()
	needCPULimit(t)
	for name, end := range map[string]func(p *Proc){
		"by itself": func(p *Proc) { _ = p.ask(requestResume) }, // it may end before it can say that it goes on
		"stopped":   func(p *Proc) { p.Stop() },
		"killed": func(p *Proc) {
			if err := p.kill(); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, server := New(t).Pair()
			p := server.Start("sh", "-c", "kill -STOP $$")
			await(t, "the shell to stop itself", func() bool {
				threads := threadsBelow(t, p.cmd.Process.Pid)
				return len(threads) == 1 && threads[0].state == "T"
			})
			p.LimitCPU(time.Millisecond, time.Second)
			folder := p.limit.folder
			if _, err := os.Stat(folder); err != nil {
				t.Fatal(err)
			}
			end(p)
			await(t, "the program to end", p.ended)
			if _, err := os.Stat(folder); !os.IsNotExist(err) {
				t.Errorf("the cgroup %s is left: %v", folder, err)
			}
			if err := p.limitCPU(time.Second, time.Second); err == nil || !strings.Contains(err.Error(), "it has ended") {
				t.Errorf("a limit after the end: %v, want that the program has ended", err)
			}
		})
	}
}

// TestLeaveLimited makes limited programs until it is killed.
func TestLeaveLimited(t *testing.T) {
	leaving(t, "Limited")
	needCPULimit(t)
	_, server := New(t).Pair()
	p := server.StartRole("busy")
	p.LimitCPU(5*time.Millisecond, 50*time.Millisecond)
	await(t, "the program to be throttled", func() bool { return p.CPUStat().Throttled > 0 })
	fmt.Println("limited", p.cmd.Process.Pid, p.limit.folder)
	select {}
}

// A test process that is killed while its program is throttled leaves no cgroup. The end
// of the init says when to look.
func TestKilledTestLeavesNoCgroup(t *testing.T) {
	t.Parallel()
	needCPULimit(t)
	for range 3 {
		cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run", "^TestLeaveLimited$", "-test.v")
		cmd.Env = append(os.Environ(), leakVariable+"=Limited")
		output, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		init, folder := readLimited(t, bufio.NewScanner(output))
		if _, err := os.Stat(folder); err != nil {
			t.Errorf("before the kill: %v", err)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		awaitEnd(t, init)
		if _, err := os.Stat(folder); !os.IsNotExist(err) {
			t.Errorf("the cgroup %s is left: %v", folder, err)
		}
		_ = cmd.Wait() // it was killed
	}
}

// readLimited reads what TestLeaveLimited prints, and takes hold of the init.
func readLimited(t *testing.T, lines *bufio.Scanner) (pidfd int, folder string) {
	t.Helper()
	for lines.Scan() {
		var pid int
		if n, _ := fmt.Sscanf(lines.Text(), "limited %d %s", &pid, &folder); n == 2 {
			pidfd, err := unix.PidfdOpen(pid, 0)
			if err != nil {
				t.Fatal(os.NewSyscallError("pidfd_open", err))
			}
			t.Cleanup(func() { _ = unix.Close(pidfd) })
			return pidfd, folder
		}
	}
	t.Fatalf("the test that is to be killed did not limit a program: %v", lines.Err())
	return 0, ""
}

// awaitEnd waits for a process to end.
func awaitEnd(t *testing.T, pidfd int) {
	t.Helper()
	const patience = 10 * time.Second
	for deadline := time.Now().Add(patience); ; {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, int(time.Until(deadline).Milliseconds()))
		switch {
		case err == unix.EINTR:
		case err != nil:
			t.Fatal(os.NewSyscallError("poll", err))
		case n == 0:
			t.Fatalf("the init lives %v after its test was killed", patience)
		default:
			return
		}
	}
}

func TestLimitCPURefuses(t *testing.T) {
	t.Parallel()
	_, server := New(t).Pair()
	p := server.Start("sleep", "1000")
	got := fatal(t, server, func() { p.LimitCPU(time.Microsecond, time.Second) })
	want := "netlab: host server: limit the CPU of sleep to 1µs in 1s: the kernel takes a quota from 1ms and a period from 1ms to 1s"
	if got != want {
		t.Errorf("Fatalf said %q, want %q", got, want)
	}
}

func TestParseCPUStat(t *testing.T) {
	for _, c := range []struct {
		text string
		want CPUStat
	}{
		{"usage_usec 5\nnr_periods 12\nnr_throttled 11\nthrottled_usec 1012345\n", CPUStat{12, 11, 1012345 * time.Microsecond}},
		{"nr_periods 12\nnr_throttled 11\nthrottled_time 1012345678\nnr_bursts 0\n", CPUStat{12, 11, 1012345678}},
		{"nr_periods many\nnr_throttled\n\n", CPUStat{}},
	} {
		if got := parseCPUStat(c.text); got != c.want {
			t.Errorf("parseCPUStat(%q) = %+v, want %+v", c.text, got, c.want)
		}
	}
}

func TestCgroupMounts(t *testing.T) {
	const (
		unified = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
		both    = "36 35 0:31 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
		other   = "37 35 0:32 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset\nnonsense\n"
	)
	for _, c := range []struct{ text, cpu, unified string }{
		{unified, "", "/sys/fs/cgroup"},
		{other + both, "/sys/fs/cgroup/cpu", ""},
		{both + unified, "/sys/fs/cgroup/cpu", "/sys/fs/cgroup"},
		{other, "", ""},
	} {
		if cpu, v2 := cgroupMounts(c.text); cpu != c.cpu || v2 != c.unified {
			t.Errorf("cgroupMounts(%q) = %q, %q, want %q, %q", c.text, cpu, v2, c.cpu, c.unified)
		}
	}
}

// Each thing that version 2 lacks is named.
func TestCheckUnified(t *testing.T) {
	for _, c := range []struct{ controllers, enabled, want string }{
		{"cpuset cpu io", "cpu", ""},
		{"cpuset io", "io", "FOLDER/cgroup.controllers has no cpu controller; the kernel, or the container, has none"},
		{"cpuset cpu", "cpuset", "FOLDER/cgroup.subtree_control has no cpu controller; type: echo +cpu | sudo tee FOLDER/cgroup.subtree_control"},
	} {
		folder := t.TempDir()
		for file, text := range map[string]string{"cgroup.controllers": c.controllers, "cgroup.subtree_control": c.enabled} {
			if err := os.WriteFile(filepath.Join(folder, file), []byte(text+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got := ""
		if err := checkUnified(folder); err != nil {
			got = strings.ReplaceAll(err.Error(), folder, "FOLDER")
		}
		if got != c.want {
			t.Errorf("checkUnified with %q and %q: %q, want %q", c.controllers, c.enabled, got, c.want)
		}
	}
	if err := checkUnified(""); err == nil {
		t.Error("checkUnified without a mount says nothing")
	}
}
