package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// qemu is the program that runs the machines.
const qemu = "qemu-system-x86_64"

// machinePatience bounds a machine's life. It takes two minutes of a CPU that it has for
// itself.
const machinePatience = 15 * time.Minute

// kernel is a kernel to run suites under, in a virtual machine.
type kernel struct {
	version string // as uname -r prints it
	image   string // file
	modules []module
}

// readKernel finds the parts of a kernel's package, unpacked in a folder.
func readKernel(ctx context.Context, folder string) (kernel, error) {
	images, err := filepath.Glob(filepath.Join(folder, "boot", "vmlinuz-*"))
	if err != nil || len(images) != 1 {
		return kernel{}, fmt.Errorf("the package has %d kernels, want one", len(images))
	}
	version := strings.TrimPrefix(filepath.Base(images[0]), "vmlinuz-")
	modules, err := modulesOf(ctx, filepath.Join(folder, "lib", "modules", version))
	if err != nil {
		return kernel{}, fmt.Errorf("kernel %s: %w", version, err)
	}
	return kernel{version, images[0], modules}, nil
}

// contents is the initramfs of a machine.
func contents(k kernel, program, binary []byte, suites []suite) ([]byte, error) {
	plan, err := json.Marshal(suites)
	if err != nil {
		return nil, err
	}
	var a initramfs
	a.file(guestProgram, program)
	a.file(guestBinary, binary)
	a.file(guestPlan, plan)
	a.folder(guestModules)
	for i, m := range k.modules {
		a.file(fmt.Sprintf("%s/%02d-%s", guestModules, i, m.name), m.image)
	}
	return a.end(), nil
}

// boot runs a machine until it has switched itself off, and returns what its suites
// left behind.
func boot(ctx context.Context, k kernel, initramfs, accel string, ended func(section)) ([]section, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, machinePatience, fmt.Errorf("the machine was not done after %v and was ended", machinePatience))
	defer cancel()
	console := initramfs + ".console"
	cmd := exec.CommandContext(ctx, qemu, append(processor(accel), "-machine", "q35", "-m", "2048",
		"-nodefaults", "-no-user-config", "-display", "none", "-net", "none", "-no-reboot",
		"-kernel", k.image, "-initrd", initramfs, "-append", commandLine(accel),
		"-serial", "file:"+console, "-serial", "stdio")...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	// The kernel sends Pdeathsig when the thread ends that started the machine.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	sections, readErr := readSections(stdout, ended)
	err = errors.Join(readErr, cmd.Wait())
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	switch {
	case err == nil && complete(sections):
		return sections, nil
	case err == nil:
		err = errors.New("it switched itself off early")
	}
	text, _ := os.ReadFile(console) // what can be had of it
	return sections, fmt.Errorf("the machine did not come to its end: %w\n%s%s", err, complaints.String(), lastLines(string(text), 20))
}

// processor are the options of QEMU about the machine's CPU. Emulated, it is far slower
// than a real one, and by how much the load of this machine decides. So its clock counts
// instructions, one a nanosecond, and jumps while the machine has nothing to do: the
// kernel's timers and the suites see a machine of a steady billion instructions a second,
// and one run is like the next.
//
// Copying is cheaper without the instructions that copy byte by byte (erms).
func processor(accel string) []string {
	if accel == "kvm" {
		return []string{"-accel", "kvm", "-cpu", "host", "-smp", "2"}
	}
	return []string{"-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off", "-cpu", "max,erms=off", "-smp", "1"}
}

// commandLine is the kernel's. What an emulated CPU pays for dearly is left out: the
// mitigations of what CPUs leak, of which each system call has its share, and the waiting
// loops in which the kernel measures its timers against one another while it boots. They
// take some seconds to emulate, so it has one timer, the PIT, and believes in it.
func commandLine(accel string) string {
	line := "console=ttyS0 panic=-1 "
	if accel == "tcg" {
		line += "mitigations=off nolapic_timer hpet=disable no_timer_check "
	}
	return line + "rdinit=/" + guestProgram + " -- " + guestRole
}

// complete tells whether every suite that began came to its end.
func complete(sections []section) bool {
	for _, s := range sections {
		if !s.ended {
			return false
		}
	}
	return len(sections) > 0
}

// lastLines are the last n lines of a text.
func lastLines(text string, n int) string {
	lines := strings.SplitAfter(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "")
}
