package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
)

// machine is what the suite must not change, as lines of text by their kind.
type machine map[string][]string

// String counts the lines of each kind.
func (m machine) String() string {
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%d %s", len(m[kind]), kind))
	}
	return strings.Join(parts, ", ")
}

// look takes the state of the machine.
func look() (machine, error) {
	m := machine{}
	for kind, list := range map[string]func() ([]string, error){
		"sysctls":             listSysctls,
		"interfaces":          listOf(netlink.LinkList, describeLink),
		"addresses":           listOf(func() ([]netlink.Addr, error) { return netlink.AddrList(nil, netlink.FAMILY_ALL) }, text),
		"routes":              listOf(listRoutes, describeRoute),
		"policy rules":        listOf(func() ([]netlink.Rule, error) { return netlink.RuleList(netlink.FAMILY_ALL) }, text),
		"queueing rules":      listOf(func() ([]netlink.Qdisc, error) { return netlink.QdiscList(nil) }, text),
		"mounts":              listMounts,
		"named namespaces":    listNamed,
		"packet filter rules": listFilter,
		"control groups":      listCgroups,
	} {
		lines, err := list()
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", kind, err)
		}
		slices.Sort(lines)
		m[kind] = lines
	}
	return m, nil
}

// settleTime bounds the wait for the kernel, which ends a PID namespace and a
// network namespace after the process that held it is gone.
const settleTime = 10 * time.Second

// compare waits until no process of the run is left and reports everything in which
// the machine then differs from before. With its processes a run's namespaces are
// gone too: one without a process lives only as long as a descriptor, which is a
// process's, or a mount.
func compare(before machine) error {
	for deadline := time.Now().Add(settleTime); ; time.Sleep(time.Millisecond) {
		alive, err := processesOfRun()
		if err != nil {
			return err
		}
		if len(alive) == 0 {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("processes still run after %v: %s", settleTime, strings.Join(alive, ", "))
		}
	}
	after, err := look()
	if err != nil {
		return err
	}
	var errs []error
	for _, kind := range slices.Sorted(maps.Keys(before)) {
		for _, line := range missing(after[kind], before[kind]) {
			errs = append(errs, fmt.Errorf("%s: new: %s", kind, line))
		}
		for _, line := range missing(before[kind], after[kind]) {
			errs = append(errs, fmt.Errorf("%s: gone: %s", kind, line))
		}
	}
	return errors.Join(errs...)
}

// missing are the lines that are not among the others.
func missing(lines, others []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return slices.Contains(others, line) })
}

// marker is in the environment of a run, and so in that of every process that came
// of it.
var marker = fmt.Sprintf("RSTLAB_HYGIENE=%d", os.Getpid())

// processesOfRun lists the processes that have the marker, dead ones aside.
func processesOfRun() ([]string, error) {
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	return slices.DeleteFunc(files, func(file string) bool {
		environ, err := os.ReadFile(file)
		return err != nil || !slices.Contains(strings.Split(string(environ), "\x00"), marker)
	}), err
}

// listOf makes lines of what netlink lists.
func listOf[T any](list func() ([]T, error), describe func(T) string) func() ([]string, error) {
	return func() ([]string, error) {
		items, err := list()
		var lines []string
		for _, item := range items {
			lines = append(lines, describe(item))
		}
		return lines, err
	}
}

func text[T any](item T) string { return fmt.Sprint(item) }

// describeLink leaves out the traffic counters of a link.
func describeLink(link netlink.Link) string {
	attrs := link.Attrs()
	return fmt.Sprintf("%d %s %s mtu %d %v %v", attrs.Index, attrs.Name, attrs.HardwareAddr, attrs.MTU, attrs.Flags, attrs.OperState)
}

// listRoutes lists the routes of all tables.
func listRoutes() ([]netlink.Route, error) {
	return netlink.RouteListFiltered(netlink.FAMILY_ALL, &netlink.Route{}, netlink.RT_FILTER_TABLE)
}

func describeRoute(r netlink.Route) string {
	return fmt.Sprintf("table %d type %d %v", r.Table, r.Type, r)
}

// volatile are sysctls that the kernel itself changes all the time.
var volatile = []string{
	"/proc/sys/fs/dentry-state", "/proc/sys/fs/inode-nr", "/proc/sys/fs/inode-state", "/proc/sys/fs/file-nr", "/proc/sys/fs/aio-nr",
	"/proc/sys/fs/quota/", "/proc/sys/kernel/ns_last_pid", "/proc/sys/kernel/random/", "/proc/sys/kernel/pty/nr",
	"/proc/sys/kernel/perf_event_max_sample_rate", "/proc/sys/kernel/perf_cpu_time_max_percent",
	"/proc/sys/net/netfilter/nf_conntrack_count", "/proc/sys/kernel/tainted",
}

func listSysctls() ([]string, error) {
	var lines []string
	err := filepath.WalkDir("/proc/sys", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || slices.ContainsFunc(volatile, func(v string) bool { return strings.HasPrefix(path, v) }) {
			return nil // what cannot be read cannot be compared
		}
		if value, err := os.ReadFile(path); err == nil {
			lines = append(lines, path+" = "+strings.TrimSpace(string(value)))
		}
		return nil
	})
	return lines, err
}

func listMounts() ([]string, error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	return slices.Collect(strings.Lines(string(text))), err
}

// listNamed lists the namespaces that ip netns would show.
func listNamed() ([]string, error) {
	return filepath.Glob("/run/netns/*")
}

// listFilter lists what the nft command shows; nothing where it is not installed,
// since the suite would have no means either.
func listFilter() ([]string, error) {
	if _, err := exec.LookPath("nft"); err != nil {
		return nil, nil
	}
	text, err := exec.Command("nft", "--stateless", "list", "ruleset").Output()
	return slices.Collect(strings.Lines(string(text))), err
}

// listCgroups lists the control groups by the names that the suite gives; those of the
// rest of the machine come and go.
func listCgroups() ([]string, error) {
	var folders []string
	err := filepath.WalkDir("/sys/fs/cgroup", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && strings.HasPrefix(entry.Name(), "rstlab-") {
			folders = append(folders, path)
		}
		return nil // one that cannot be read has just gone
	})
	return folders, err
}
