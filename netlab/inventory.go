package netlab

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// inventory is what the process had before its tests ran.
type inventory struct {
	goroutines  goleak.Option
	descriptors map[string]string // number to what it refers to
}

func takeInventory() (inventory, error) {
	if err := wakePoller(); err != nil {
		return inventory{}, err
	}
	descriptors, err := listDescriptors()
	return inventory{goleak.IgnoreCurrent(), descriptors}, err
}

// wakePoller makes the runtime open the descriptors of its network poller, which
// stay open and would pass for leaked ones.
func wakePoller() error {
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("open a pipe: %w", err)
	}
	return errors.Join(r.Close(), w.Close())
}

// leftBehind says what is there now that was not there before, one line each.
func (before inventory) leftBehind() []string {
	var left []string
	if n := openLabs.Load(); n != 0 {
		left = append(left, fmt.Sprintf("%d labs that were not closed", n))
	}
	if err := goleak.Find(before.goroutines); err != nil {
		left = append(left, err.Error())
	}
	left = append(left, before.newDescriptors()...)
	left = append(left, childProcesses()...)
	return append(left, strayThreads()...)
}

func (before inventory) newDescriptors() []string {
	now, err := listDescriptors()
	if err != nil {
		return []string{err.Error()}
	}
	var left []string
	for _, number := range slices.Sorted(maps.Keys(now)) {
		if _, ok := before.descriptors[number]; !ok {
			left = append(left, fmt.Sprintf("descriptor %s: %s", number, now[number]))
		}
	}
	return left
}

// listDescriptors maps each open descriptor to what it refers to.
func listDescriptors() (map[string]string, error) {
	names, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		return nil, err
	}
	descriptors := map[string]string{}
	for _, name := range names {
		// The descriptor that the listing itself used is closed by now.
		if target, err := os.Readlink(name); err == nil {
			descriptors[filepath.Base(name)] = target
		}
	}
	return descriptors, nil
}

// childProcesses reports a child that nobody waited for, alive or dead.
func childProcesses() []string {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT|unix.WALL, nil)
	if err == unix.ECHILD {
		return nil
	}
	children, _ := filepath.Glob("/proc/self/task/*/children")
	var pids []string
	for _, file := range children {
		if text, err := os.ReadFile(file); err == nil && len(text) > 0 {
			pids = append(pids, string(text))
		}
	}
	return []string{fmt.Sprintf("child processes: %v", pids)}
}

// strayThreads lists the threads that are not in the process's own network
// namespace.
func strayThreads() []string {
	own, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return []string{err.Error()}
	}
	tasks, err := filepath.Glob("/proc/self/task/*/ns/net")
	if err != nil {
		return []string{err.Error()}
	}
	var left []string
	for _, task := range tasks {
		if ns, err := os.Readlink(task); err == nil && ns != own {
			left = append(left, fmt.Sprintf("a thread in another network namespace: %s is %s", task, ns))
		}
	}
	return left
}
