package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// run makes the table and prints it. An error means that something differed, or that
// the table could not be made.
func run(ctx context.Context, releases []string, chosen []suite, accel string, full bool) error {
	if err := missingPrograms(exec.LookPath); err != nil {
		return err
	}
	if runtime.GOARCH != "amd64" {
		return fmt.Errorf("the kernels are for amd64 machines, and so must this one be: it is %s", runtime.GOARCH)
	}
	folder, err := os.MkdirTemp("", "rstlab-kernels-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	m := &matrix{folder: folder, suites: chosen, accel: accel, full: full, start: time.Now()}
	built := make(chan error, 1)
	go func() { built <- m.build(ctx) }()
	kernels, err := m.fetch(ctx, releases)
	if err := errors.Join(<-built, err); err != nil {
		return err
	}
	here, err := m.playHere(ctx)
	if err != nil {
		return err
	}
	columns := append([]column{here}, m.playAll(ctx, kernels)...)
	if ctx.Err() != nil {
		return errors.New("interrupted; nothing is left running")
	}
	fmt.Println()
	fmt.Print(table(columns))
	if err := judge(columns); err != nil {
		return err
	}
	fmt.Println("no unexplained difference")
	return nil
}

// missingPrograms says which programs cannot be found and what to type.
func missingPrograms(look func(string) (string, error)) error {
	var missing, packages []string
	for _, p := range []struct{ program, from string }{
		{qemu, "qemu-system-x86"}, {"xz", "xz-utils"}, {"apt-get", "apt"}, {"dpkg-deb", "dpkg"},
	} {
		if _, err := look(p.program); err != nil {
			missing, packages = append(missing, p.program), append(packages, p.from)
		}
	}
	if missing == nil {
		return nil
	}
	return fmt.Errorf("%s cannot be found; on Debian or Ubuntu type: sudo apt-get install %s", strings.Join(missing, ", "), strings.Join(packages, " "))
}

// matrix is one run of this command.
type matrix struct {
	folder string // temporary
	suites []suite
	accel  string
	full   bool // leave out nothing in an emulated machine
	start  time.Time
	mu     sync.Mutex // of the output
}

// say prints a line of progress.
func (m *matrix) say(format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	fmt.Printf("%5.1fs  %s\n", time.Since(m.start).Seconds(), fmt.Sprintf(format, args...))
}

func (m *matrix) path(name string) string { return filepath.Join(m.folder, name) }

// build makes the test binary and the machines' first program, without cgo, so that
// they need no library.
func (m *matrix) build(ctx context.Context) error {
	for _, args := range [][]string{
		{"test", "-c", "-o", m.path(guestBinary), "./tests"},
		{"build", "-o", m.path(guestProgram), "./scripts/kernels"},
	} {
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
		if text, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("go %s, from the repository's root: %w\n%s", strings.Join(args, " "), err, text)
		}
	}
	m.say("built the binary of ./tests")
	return nil
}

// fetch gets the newest kernel of each release.
func (m *matrix) fetch(ctx context.Context, releases []string) ([]kernel, error) {
	a, err := newApt(ctx, m.folder)
	if err != nil {
		return nil, err
	}
	packages, err := a.packages(ctx)
	if err != nil {
		return nil, err
	}
	var kernels []kernel
	for _, release := range releases {
		name, err := newest(release, packages)
		if err != nil {
			return nil, err
		}
		unpacked, err := a.unpack(ctx, name)
		if err != nil {
			return nil, err
		}
		k, err := readKernel(ctx, unpacked)
		if err != nil {
			return nil, err
		}
		m.say("unpacked %s with the modules %s", name, strings.Join(names(k.modules), " "))
		kernels = append(kernels, k)
	}
	return kernels, nil
}

// playHere runs the suites on this machine.
func (m *matrix) playHere(ctx context.Context) (column, error) {
	var uname unix.Utsname
	if err := unix.Uname(&uname); err != nil {
		return column{}, os.NewSyscallError("uname", err)
	}
	here := column{kernel: unix.ByteSliceToString(uname.Release[:]) + " (this machine)"}
	for _, s := range m.suites {
		cmd := exec.CommandContext(ctx, m.path(guestBinary), s.here()...)
		cmd.Dir = m.folder
		begun := time.Now()
		text, err := cmd.CombinedOutput()
		if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
			return here, err
		}
		if ctx.Err() != nil {
			return here, ctx.Err()
		}
		here.add(ctx, m.suites, section{s.Name, string(text), true, cmd.ProcessState.ExitCode(), time.Since(begun).Round(100 * time.Millisecond)})
		m.say("%s: %s", here.kernel, here.results[len(here.results)-1].sum())
	}
	return here, nil
}

// playAll runs the suites under all kernels at one time.
func (m *matrix) playAll(ctx context.Context, kernels []kernel) []column {
	columns := make([]column, len(kernels))
	var machines sync.WaitGroup
	for i, k := range kernels {
		machines.Go(func() { columns[i] = m.play(ctx, k) })
	}
	machines.Wait()
	return columns
}

// play runs the suites under a kernel.
func (m *matrix) play(ctx context.Context, k kernel) column {
	c := column{kernel: k.version}
	initramfs := m.path("initramfs-" + k.version)
	if c.err = m.pack(k, initramfs); c.err != nil {
		return c
	}
	m.say("%s: starting its machine", k.version)
	sections, err := boot(ctx, k, initramfs, m.accel, func(s section) {
		m.say("%s: %s is over after %v, with status %d", k.version, s.suite, s.took, s.status)
	})
	for _, s := range sections {
		c.add(ctx, m.suites, s)
	}
	c.err = errors.Join(c.err, err)
	return c
}

// pack writes the initramfs of a kernel's machine.
func (m *matrix) pack(k kernel, to string) error {
	program, err := os.ReadFile(m.path(guestProgram))
	if err != nil {
		return err
	}
	binary, err := os.ReadFile(m.path(guestBinary))
	if err != nil {
		return err
	}
	var plan []suite
	for _, s := range m.suites {
		plan = append(plan, s.inMachine(m.accel == "tcg", m.full))
	}
	archive, err := contents(k, program, binary, plan)
	if err != nil {
		return err
	}
	return os.WriteFile(to, archive, 0o600)
}

// toEvents translates the output of a test binary.
func toEvents(ctx context.Context, output string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", "tool", "test2json")
	cmd.Stdin = strings.NewReader(output)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	events, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("go tool test2json: %w %s", err, complaints.String())
	}
	return events, err
}
