package netlab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/rstlab/rstlab/netlab/scenario"
	"golang.org/x/sys/unix"
)

// Sysctl sets a sysctl of the host and ends the test if it cannot: see SetSysctl.
func (h *Host) Sysctl(key, value string) {
	h.lab.tb.Helper()
	if err := h.SetSysctl(key, value); err != nil {
		h.lab.tb.Fatalf("netlab: host %s: %v", h.name, err)
	}
}

// SetSysctl sets a sysctl of the host, by its dotted name such as
// "net.ipv4.tcp_abort_on_overflow".
//
// Only keys of the host's own namespace can be set. The error is a [SysctlError]
// whose text says whether the key is host-wide, read-only or unknown, or that
// the kernel refused the value.
func (h *Host) SetSysctl(key, value string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if value == "" {
		return &SysctlError{Key: key, reason: "no value given; the kernel would take it for success and change nothing"}
	}
	err := h.Do(func() error { return writeSysctl(key, value) })
	if err != nil {
		return &SysctlError{Key: key, Value: value, Err: err, reason: explainSysctl(key, value, err)}
	}
	return nil
}

// ReadSysctl gives the value of a sysctl in the host, several numbers separated
// by single spaces.
func (h *Host) ReadSysctl(key string) (string, error) {
	if err := checkKey(key); err != nil {
		return "", err
	}
	var value string
	err := h.Do(func() (err error) {
		value, err = readSysctl(key)
		return err
	})
	if err != nil {
		return "", &SysctlError{Key: key, Err: err, reason: explainSysctl(key, "", err)}
	}
	return value, nil
}

// DecisiveSysctls reads those that decide what becomes of a connection, by their dotted
// names. One that this kernel or a user namespace does not show is left out.
func (h *Host) DecisiveSysctls() map[string]string {
	values := map[string]string{}
	for _, key := range scenario.DecisiveSysctls() {
		if value, err := h.ReadSysctl(key); err == nil {
			values[key] = value
		}
	}
	return values
}

// SysctlError is a sysctl that could not be set or read in a host.
type SysctlError struct {
	Key    string
	Value  string // what was to be set; empty for a read
	Err    error  // of the file operation; nil if it was not tried
	reason string
}

func (e *SysctlError) Error() string { return fmt.Sprintf("sysctl %s: %s", e.Key, e.reason) }
func (e *SysctlError) Unwrap() error { return e.Err }

// checkKey refuses what no network namespace has.
func checkKey(key string) error {
	switch {
	case strings.Contains(key, "/"), strings.Contains(key, ".."):
		return &SysctlError{Key: key, reason: "not a sysctl name; write it with dots, such as net.core.somaxconn"}
	case !strings.HasPrefix(key, "net."):
		return &SysctlError{Key: key, reason: "host-wide: the whole machine shares it, so a lab does not touch it; only keys below net. can belong to a host"}
	}
	return nil
}

// explainSysctl says why a key below net. failed in a host. The value is empty for a
// read.
func explainSysctl(key, value string, err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist) && existsAtHome(key):
		return "host-wide: the whole machine shares it and a network namespace has none of its own, so a lab does not touch it"
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf("no such key in a network namespace of this kernel (%s): misspelt, host-wide, or of another kernel version", kernelRelease())
	case errors.Is(err, fs.ErrPermission) && value == "":
		return "write-only"
	case errors.Is(err, fs.ErrPermission):
		return "read-only in a network namespace"
	case errors.Is(err, unix.EINVAL):
		return fmt.Sprintf("the kernel refuses the value %q", value)
	}
	return err.Error()
}

// existsAtHome looks for the key in the namespace that the process started in.
// In a user namespace that one has no host-wide keys either.
func existsAtHome(key string) bool {
	err := onThread(func() error {
		_, err := os.Stat(sysctlPath(key))
		return err
	})
	return err == nil
}

func kernelRelease() string {
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(uts.Release[:])
}

func sysctlPath(key string) string {
	return "/proc/sys/" + strings.ReplaceAll(key, ".", "/")
}

// readSysctl gives a sysctl of the calling thread's namespace.
func readSysctl(key string) (string, error) {
	text, err := os.ReadFile(sysctlPath(key))
	return strings.Join(strings.Fields(string(text)), " "), err
}

// writeSysctl sets a sysctl of the calling thread's namespace. It uses the bare
// system calls, since an os.File would be registered with the network poller
// first, which is most of the cost.
func writeSysctl(key, value string) error {
	fd, err := unix.Open(sysctlPath(key), unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("open", err)
	}
	defer unix.Close(fd)
	_, err = unix.Write(fd, []byte(value))
	return os.NewSyscallError("write", err)
}
