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
		// Past the runtime, since it does not block. Nothing that was written can be lost.
		_, _, _ = unix.RawSyscall(unix.SYS_CLOSE, uintptr(d), 0, 0)
	}
}

// A client of the engine HTTP holds two descriptors while it dials: the socket and its
// duplicate. Some more are spare, for what the rest of the process opens meanwhile.
const (
	httpDescriptors  = 2
	epollDescriptors = 1
	spareDescriptors = 64
)

func (e Engine) descriptors() int {
	if e == Epoll {
		return epollDescriptors
	}
	return httpDescriptors
}

// room is how many clients this process has descriptors for, and the lowest one that is
// free.
func (e Engine) room() (clients, lowest int, err error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, 0, os.NewSyscallError("getrlimit RLIMIT_NOFILE", err)
	}
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return 0, 0, os.NewSyscallError("eventfd", err)
	}
	descriptor(fd).close()
	most := int(min(limit.Cur, 1<<30))
	return max(0, (most-fd-spareDescriptors)/e.descriptors()), fd, nil
}

// reserveDescriptors grows the process's descriptor table to what the clients
// need. A table that grows during the run stalls every thread for 5 to 20 ms,
// because the kernel waits for an RCU grace period (expand_files, fs/file.c).
//
// Where RLIMIT_NOFILE is lower than that, the error says what to type. With
// Dial it is no error, since only the caller knows what Dial opens.
func (c Config) reserveDescriptors() error {
	room, lowest, err := c.Engine.room()
	if err != nil {
		return err
	}
	clients := c.ownClients()
	if clients > room && c.Dial == nil {
		need := lowest + clients*c.Engine.descriptors() + spareDescriptors
		return fmt.Errorf("%d clients need %d descriptors, and the limit leaves room for %d: type `ulimit -n %d` first, or use fewer clients",
			clients, need, room, need)
	}
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("eventfd", err)
	}
	defer descriptor(fd).close()
	return growTable(fd, uint64(fd+min(clients, room)*c.Engine.descriptors()+spareDescriptors))
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
