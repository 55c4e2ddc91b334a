package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// measuredRole runs a tool in a host and measures it from outside.
const measuredRole = "bench-measured"

// measuredPlan is a tool's command line, and the files for what came of it.
type measuredPlan struct {
	Command        []string
	Env            []string // beside the environment
	Output, Report string   // files
}

// measured is what a tool took, as its operating system counts.
type measured struct {
	Wall time.Duration // from before its start until it had ended
	CPU  time.Duration // in the kernel too
	Peak int           // bytes: the most memory that was resident, VmHWM of all its processes
	Exit string        // how it ended, such as "exit status 0"
}

// runMeasured runs the tool. A tool that fails is no error: its exit is part of the
// measurement.
func runMeasured(args []string) error {
	plan, err := planOf[measuredPlan](args)
	if err != nil {
		return err
	}
	if err := mayOpenMost(); err != nil {
		return err
	}
	output, err := os.Create(plan.Output)
	if err != nil {
		return err
	}
	defer output.Close()
	cmd := exec.Command(plan.Command[0], plan.Command[1:]...)
	cmd.Env = append(os.Environ(), plan.Env...)
	cmd.Stdout, cmd.Stderr = output, output
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	peak := watchMemory(ended)
	_ = cmd.Wait() // its state says how it ended
	m := measured{Wall: time.Since(begin), CPU: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), Exit: cmd.ProcessState.String()}
	close(ended)
	m.Peak = <-peak
	return writeJSON(plan.Report, m)
}

// mayOpenMost raises the limit of descriptors for the tool too, which the Go runtime
// would set back.
func mayOpenMost() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return os.NewSyscallError("getrlimit", err)
	}
	most := syscall.Rlimit{Cur: limit.Max, Max: limit.Max}
	return os.NewSyscallError("setrlimit", syscall.Setrlimit(syscall.RLIMIT_NOFILE, &most))
}

// lookInterval is the time between two looks at a tool's memory. Its last one is at most
// as long before the end.
const lookInterval = 10 * time.Millisecond

// watchMemory gives the peak of the resident memory of the tool and the processes that it
// has made, until it has ended. Maxrss of getrusage(2) will not do: it is at least what the
// process had that called exec.
//
// Source, checked on v6.18: exec_mmap (fs/exec.c).
func watchMemory(ended <-chan struct{}) <-chan int {
	peak := make(chan int, 1)
	go func() {
		most := 0
		again := time.NewTicker(lookInterval)
		defer again.Stop()
		for {
			most = max(most, memoryOfOthers())
			select {
			case <-again.C:
			case <-ended:
				peak <- most
				return
			}
		}
	}()
	return peak
}

// memoryOfOthers is what all processes of this PID namespace have, but its first one and
// this one: those are the tool's.
func memoryOfOthers() int {
	files, err := filepath.Glob("/proc/[0-9]*/status")
	if err != nil {
		return 0
	}
	sum := 0
	for _, file := range files {
		if file == "/proc/1/status" || file == fmt.Sprintf("/proc/%d/status", os.Getpid()) {
			continue
		}
		if text, err := os.ReadFile(file); err == nil { // else it has ended
			sum += kilobytes(string(text), "VmHWM:")
		}
	}
	return sum
}
