package netlab

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// cpuLimit is what a test process knows of a program's limit.
type cpuLimit struct {
	sync.Mutex        // one change at a time
	folder     string // of the program's cgroup; empty: no limit yet
}

// LimitCPU gives the program and all its children at most quota of CPU time in each
// period, on all CPUs together, as a container's limit does: "100m" in Kubernetes is
// 10 ms in 100 ms. Once it is used up, the kernel throttles them: none runs until the
// next period begins. Calling it again changes the limit.
//
// The kernel takes a quota from 1 ms and a period from 1 ms to 1 s, in whole
// microseconds, and counts with its tick: a program may get a few milliseconds more in
// one period, and has them taken off later ones.
//
// The limit is a cgroup of the machine with a name of its own, rstlab-..., beside which
// nothing on the machine is changed. It is gone when [Proc.Done] is closed, and soon
// after the test process is killed. It takes real root: ask [CPULimitAvailable] first.
// The test ends with the reason if no limit can be set.
//
// Source, measured on v6.18: tg_set_bandwidth (kernel/sched/core.c), which is
// tg_set_cfs_bandwidth before 6.17; throttle_cfs_rq (kernel/sched/fair.c).
func (p *Proc) LimitCPU(quota, period time.Duration) {
	p.host.lab.tb.Helper()
	if err := p.limitCPU(quota, period); err != nil {
		p.host.lab.tb.Fatalf("netlab: host %s: limit the CPU of %s to %v in %v: %v", p.host.name, p.name, quota, period, err)
	}
}

func (p *Proc) limitCPU(quota, period time.Duration) error {
	if quota < time.Millisecond || period < time.Millisecond || period > time.Second {
		return errors.New("the kernel takes a quota from 1ms and a period from 1ms to 1s")
	}
	p.limit.Lock()
	defer p.limit.Unlock()
	folder := p.limit.folder
	if folder == "" {
		root, err := findCPUController()
		if err != nil {
			return err
		}
		folder = filepath.Join(root, "rstlab-"+rand.Text())
	}
	err := p.ask(fmt.Sprintf("%s %d %d %s", requestLimit, quota.Microseconds(), period.Microseconds(), folder))
	if err == nil {
		p.limit.folder = folder
	}
	return err
}

// CPUStat is what a CPU limit did to a program.
type CPUStat struct {
	Periods      uint64        // in which something ran
	Throttled    uint64        // periods that began with the program throttled
	ThrottledFor time.Duration // how long, summed over the CPUs on which something wanted to run
}

// CPUStat tells how often and how long the program was throttled since the first call
// of LimitCPU, without which all is zero. It ends the test if the program has ended.
//
// Source, measured on v6.18: cpu_extra_stat_show, and cpu_cfs_stat_show for version 1
// (kernel/sched/core.c).
func (p *Proc) CPUStat() CPUStat {
	p.host.lab.tb.Helper()
	p.limit.Lock()
	defer p.limit.Unlock()
	if p.limit.folder == "" {
		return CPUStat{}
	}
	text, err := os.ReadFile(filepath.Join(p.limit.folder, "cpu.stat"))
	if err != nil {
		p.host.lab.tb.Fatalf("netlab: host %s: read how %s was throttled: %v", p.host.name, p.name, err)
	}
	return parseCPUStat(string(text))
}

// parseCPUStat reads the file cpu.stat of a cgroup of version 2, which has
//
//	nr_periods 12
//	nr_throttled 11
//	throttled_usec 1012345
//
// among others, or of version 1, where the last is throttled_time in nanoseconds.
func parseCPUStat(text string) CPUStat {
	var s CPUStat
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := parseUint(value)
		if err != nil {
			continue
		}
		switch name {
		case "nr_periods":
			s.Periods = n
		case "nr_throttled":
			s.Throttled = n
		case "throttled_usec":
			s.ThrottledFor = time.Duration(n) * time.Microsecond
		case "throttled_time":
			s.ThrottledFor = time.Duration(n)
		}
	}
	return s
}

// CPULimitAvailable says why no CPU limit can be set here and what to type, or nil. As
// root of a user namespace, which tests without root are, it cannot: cgroups belong to
// the machine.
func CPULimitAvailable() error {
	_, err := findCPUController()
	return err
}

// findCPUController is the folder in which cgroups with a CPU limit can be made. What
// would have to be changed on the machine first is left to its owner.
func findCPUController() (folder string, err error) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	folder, unified := cgroupMounts(string(mounts))
	if folder == "" {
		if folder, err = unified, checkUnified(unified); err != nil {
			return "", err
		}
	}
	if err := unix.Access(folder, unix.W_OK); err != nil {
		return "", fmt.Errorf("no cgroup can be made in %s: %w; run as root, go test -exec 'sudo -E' ./..., for root of a user namespace is not enough", folder, err)
	}
	return folder, nil
}

// cgroupMounts finds where the cpu controller of version 1 is mounted, and where version
// 2 is; either may be empty. The lines of mountinfo, proc_pid_mountinfo(5), are
//
//	36 35 0:31 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
func cgroupMounts(mountinfo string) (cpu, unified string) {
	for line := range strings.Lines(mountinfo) {
		mount, source, _ := strings.Cut(line, " - ")
		where, what := strings.Fields(mount), strings.Fields(source)
		switch {
		case len(where) < 5 || len(what) < 3:
		case what[0] == "cgroup" && slices.Contains(strings.Split(what[2], ","), "cpu"):
			cpu = where[4]
		case what[0] == "cgroup2":
			unified = where[4]
		}
	}
	return cpu, unified
}

// checkUnified says why cgroups of version 2 below folder would have no CPU limit.
func checkUnified(folder string) error {
	if folder == "" {
		return errors.New("no cgroup file system with the cpu controller is mounted; see cgroups(7)")
	}
	for _, needed := range []struct{ file, cure string }{
		{"cgroup.controllers", "the kernel, or the container, has none"},
		{"cgroup.subtree_control", "type: echo +cpu | sudo tee " + folder + "/cgroup.subtree_control"},
	} {
		text, err := os.ReadFile(filepath.Join(folder, needed.file))
		if err != nil {
			return err
		}
		if !slices.Contains(strings.Fields(string(text)), "cpu") {
			return fmt.Errorf("%s/%s has no cpu controller; %s", folder, needed.file, needed.cure)
		}
	}
	return nil
}

// cgroup is that of a program, in the hands of its init, which outlives the test process
// and so can remove it whatever becomes of that. The init itself stays outside: it must
// never be throttled, and nobody may be in a cgroup that is to be removed.
type cgroup struct {
	mu     sync.Mutex
	folder string // empty: not made
	ended  bool   // no program is left
}

// limit carries out a request: it makes the cgroup unless it is there, sets its limit and
// puts every process of the program in. The folder comes last, since a path may have
// spaces.
func (c *cgroup) limit(arguments string) error {
	var quota, period int64
	words := strings.SplitN(arguments, " ", 3)
	if _, err := fmt.Sscan(arguments, &quota, &period); err != nil || len(words) < 3 {
		return fmt.Errorf("cannot read the limit %q", arguments)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return errors.New("the program has ended")
	}
	if c.folder == "" {
		if err := os.Mkdir(words[2], 0o755); err != nil {
			return err
		}
		c.folder = words[2]
	}
	if err := c.set(fmt.Sprint(quota), fmt.Sprint(period)); err != nil {
		return err
	}
	return poll("program that is all in "+c.folder, func() (bool, error) {
		outside, err := c.outside()
		for _, pid := range outside {
			if err := c.write("cgroup.procs", pid); err != nil && !errors.Is(err, unix.ESRCH) { // it has ended since
				return false, err
			}
		}
		return len(outside) == 0, err
	})
}

// lift takes the limit off, or killed processes would wait for a next period to die in.
func (c *cgroup) lift() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.folder == "" {
		return nil
	}
	return c.set("max", "100000")
}

// set writes a limit in microseconds, or max. Version 1 takes the quota -1 for max.
func (c *cgroup) set(quota, period string) error {
	if _, err := os.Stat(filepath.Join(c.folder, "cpu.max")); err == nil {
		return c.write("cpu.max", quota+" "+period)
	}
	if quota == "max" {
		quota = "-1"
	}
	return errors.Join(c.write("cpu.cfs_period_us", period), c.write("cpu.cfs_quota_us", quota))
}

// write writes to one of the cgroup's files, which must be there.
func (c *cgroup) write(file, text string) error {
	f, err := os.OpenFile(filepath.Join(c.folder, file), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// outside lists the processes of this PID namespace that are not in the cgroup, but for
// this one and dead ones. A process that forks while it is moved may leave its child
// outside; whoever looks again finds that.
func (c *cgroup) outside() ([]string, error) {
	folders, err := filepath.Glob("/proc/[0-9]*")
	var pids []string
	for _, folder := range folders {
		text, err := os.ReadFile(filepath.Join(folder, "stat"))
		if err != nil || folder == "/proc/1" || strings.Contains("ZX", parseStat(string(text)).state) {
			continue
		}
		in, err := os.ReadFile(filepath.Join(folder, "cgroup"))
		if err == nil && !strings.Contains(string(in), "/"+filepath.Base(c.folder)+"\n") {
			pids = append(pids, filepath.Base(folder))
		}
	}
	return pids, err
}

// remove removes the cgroup for good, after all processes have ended. The kernel may
// count one of them for a moment longer than its parent does.
func (c *cgroup) remove() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	if c.folder == "" {
		return nil
	}
	return poll("end of the cgroup "+c.folder, func() (bool, error) {
		err := unix.Rmdir(c.folder)
		if errors.Is(err, unix.EBUSY) {
			return false, nil
		}
		return err == nil, os.NewSyscallError("rmdir", err)
	})
}
