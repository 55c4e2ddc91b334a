package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// What is in a machine's initramfs.
const (
	guestRole    = "guest"      // argument that makes this command the first program of a machine
	guestProgram = "init"       // this command
	guestModules = "modules"    // folder of the modules, whose names sort in the order of loading
	guestBinary  = "suite.test" // the binary of ./tests
	guestPlan    = "plan.json"  // the suites to run
)

// guestResults is the machine's second serial port; the first is the kernel's console.
const guestResults = "/dev/ttyS1"

// runGuest is the first program of a virtual machine. It makes the machine ready, runs
// the suites, sends their output to the second serial port and switches off.
func runGuest() {
	if err := guest(); err != nil {
		fmt.Fprintln(os.Stderr, "kernels, in the virtual machine:", err) // on the console
	}
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF) // if it returns, the kernel panics, and that ends the machine too
}

func guest() error {
	if err := errors.Join(mountAll(), loadModules()); err != nil {
		return err
	}
	results, err := openResults()
	if err != nil {
		return err
	}
	text, err := os.ReadFile("/" + guestPlan)
	if err != nil {
		return err
	}
	var plan []suite
	if err := json.Unmarshal(text, &plan); err != nil {
		return err
	}
	for _, s := range plan {
		runInGuest(s, results)
	}
	const drain = 1 // tcdrain(3): wait until all is sent
	return errors.Join(os.NewSyscallError("ioctl TCSBRK", unix.IoctlSetInt(int(results.Fd()), unix.TCSBRK, drain)), results.Close())
}

// runInGuest runs one suite between two marks.
func runInGuest(s suite, results *os.File) {
	fmt.Fprintln(results, markBegin, s.Name)
	cmd := exec.Command("/"+guestBinary, s.Args...)
	// With CI set a test that can have no lab fails: a suite that is skipped says nothing.
	// There is more memory than the tests need, and collecting garbage would cost time.
	cmd.Env = []string{"CI=1", "GOGC=800", "TMPDIR=/tmp", "HOME=/tmp", "PATH=/"}
	cmd.Stdout, cmd.Stderr = results, results
	begun := time.Now()
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		fmt.Fprintln(results, err)
	}
	fmt.Fprintf(results, "\n%s %s %d %v\n", markEnd, s.Name, cmd.ProcessState.ExitCode(), time.Since(begun).Round(100*time.Millisecond))
}

func mountAll() error {
	for _, m := range []struct{ kind, folder string }{
		{"proc", "/proc"},
		{"sysfs", "/sys"},
		{"devtmpfs", "/dev"},
		{"tmpfs", "/tmp"},
		{"tracefs", "/sys/kernel/tracing"},
		{"cgroup2", "/sys/fs/cgroup"},
	} {
		if err := os.MkdirAll(m.folder, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m.kind, m.folder, m.kind, 0, ""); err != nil {
			return fmt.Errorf("mount %s: %w", m.folder, err)
		}
	}
	return nil
}

func loadModules() error {
	files, err := filepath.Glob("/" + guestModules + "/*") // in the order of their names
	if err != nil {
		return err
	}
	for _, name := range files {
		image, err := os.ReadFile(name)
		if err == nil {
			err = unix.InitModule(image, "")
		}
		if err != nil {
			return fmt.Errorf("load the module %s: %w", name, err)
		}
	}
	return nil
}

// openResults opens the port so that what is written arrives as it is, without a
// carriage return at each line's end.
func openResults() (*os.File, error) {
	port, err := os.OpenFile(guestResults, os.O_WRONLY|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	settings, err := unix.IoctlGetTermios(int(port.Fd()), unix.TCGETS)
	if err != nil {
		return nil, os.NewSyscallError("ioctl TCGETS", err)
	}
	settings.Oflag &^= unix.OPOST
	return port, os.NewSyscallError("ioctl TCSETS", unix.IoctlSetTermios(int(port.Fd()), unix.TCSETS, settings))
}
