package loadclient

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// descriptor is an open file descriptor of ours, or noDescriptor.
type descriptor int

const noDescriptor descriptor = -1

// duplicate is a second descriptor for the file behind fd.
func duplicate(fd int) (descriptor, error) {
	n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return noDescriptor, os.NewSyscallError("fcntl F_DUPFD_CLOEXEC", err)
	}
	return descriptor(n), nil
}

func (d descriptor) close() {
	if d != noDescriptor {
		_ = unix.Close(int(d)) // nothing was written through it
	}
}

// A client holds two descriptors while it dials: the socket and its duplicate.
// Some more are spare, for what the rest of the process opens meanwhile.
const (
	descriptorsPerClient = 2
	spareDescriptors     = 64
)

// reserveDescriptors grows the process's descriptor table to what the swarm
// needs. A table that grows during the run stalls every thread for 5 to 20 ms,
// because the kernel waits for an RCU grace period (expand_files, fs/file.c).
//
// Where RLIMIT_NOFILE is lower than that, the error says what to type. With
// Dial it is no error, since only the caller knows what Dial opens.
func (c Config) reserveDescriptors() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return os.NewSyscallError("getrlimit RLIMIT_NOFILE", err)
	}
	lowest, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("eventfd", err)
	}
	defer descriptor(lowest).close()
	clients := c.Waves.Clients()
	need := uint64(lowest) + uint64(clients)*descriptorsPerClient + spareDescriptors
	if need > limit.Cur && c.Dial == nil {
		return fmt.Errorf("%d clients need %d descriptors and the limit is %d: type `ulimit -n %d` first, or use fewer clients",
			clients, need, limit.Cur, need)
	}
	return growTable(lowest, min(need, limit.Cur))
}

// growTable makes room for n descriptors by duplicating fd to the last of them.
func growTable(fd int, n uint64) error {
	last, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, int(n-1))
	if err == unix.EMFILE {
		return nil // descriptors up there are in use, so the table has that size already
	}
	if err != nil {
		return os.NewSyscallError("fcntl F_DUPFD_CLOEXEC", err)
	}
	return os.NewSyscallError("close", unix.Close(last))
}
