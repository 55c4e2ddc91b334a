package netlab

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

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
	left = append(left, lasting(childProcesses)...)
	return append(left, lasting(strayThreads)...)
}

// lasting gives what look still finds after a second. A process or a thread that is
// just ending is not left behind.
func lasting(look func() []string) []string {
	for deadline := time.Now().Add(time.Second); ; time.Sleep(time.Millisecond) {
		if left := look(); left == nil || time.Now().After(deadline) {
			return left
		}
	}
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

// childProcesses reports a child that nobody waited for, alive or dead. As the first
// process of a PID namespace, this one also gets the orphans of others: the dead
// ones among them are nobody's mistake, and are reaped.
func childProcesses() []string {
	if os.Getpid() == 1 {
		for pid := 1; pid > 0; {
			pid, _ = unix.Wait4(-1, nil, unix.WNOHANG, nil)
		}
	}
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return []string{err.Error()}
	}
	var left []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended since
		}
		if child := parseStat(string(text)); child.parent == os.Getpid() {
			left = append(left, fmt.Sprintf("child process %s: %s (state %s)", path.Base(path.Dir(file)), child.name, child.state))
		}
	}
	return left
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
