package witness

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// mountTracefs gives a descriptor of the root of the trace file system. It is mounted
// nowhere: nobody else can see the mount, and it ends with the descriptor. The file
// system behind it is the machine's only one.
func mountTracefs() (int, error) {
	context, err := unix.Fsopen("tracefs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, explainTracefs(os.NewSyscallError("fsopen", err))
	}
	defer unix.Close(context)
	if err := unix.FsconfigCreate(context); err != nil {
		return -1, explainTracefs(os.NewSyscallError("fsconfig", err))
	}
	root, err := unix.Fsmount(context, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		return -1, explainTracefs(os.NewSyscallError("fsmount", err))
	}
	return root, nil
}

// explainTracefs says why the trace file system cannot be had and what to type.
func explainTracefs(err error) error {
	why := "the kernel does not allow it"
	switch {
	case errors.Is(err, unix.EPERM):
		why = "it is for the machine's own root, not that of a user namespace or container; run as root: go test -exec 'sudo -E' ./..."
	case errors.Is(err, unix.ENODEV):
		why = "this kernel has none (CONFIG_TRACING)"
	case errors.Is(err, unix.ENOSYS):
		why = "kernels before 5.2 cannot mount it out of sight"
	}
	return fmt.Errorf("open the trace file system: %s: %w", why, err)
}

// readAt reads a whole file below a directory.
func readAt(dir int, name string) (string, error) {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", &os.PathError{Op: "open", Path: name, Err: err}
	}
	file := os.NewFile(uintptr(fd), name)
	defer file.Close()
	text, err := io.ReadAll(file)
	return string(text), err
}

// writeAt writes a setting below a directory.
func writeAt(dir int, name, value string) error {
	fd, err := unix.Openat(dir, name, unix.O_WRONLY|unix.O_TRUNC|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: name, Err: err}
	}
	defer unix.Close(fd)
	if _, err := unix.Write(fd, []byte(value)); err != nil {
		return &os.PathError{Op: "write", Path: name, Err: err}
	}
	return nil
}

// namesIn lists the entries of a directory below another.
func namesIn(dir int, name string) ([]string, error) {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	file := os.NewFile(uintptr(fd), name)
	defer file.Close()
	return file.Readdirnames(-1)
}
