package loadclient

import (
	"context"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// descriptor32 is a descriptor in four bytes; negative: none.
type descriptor32 int32

// makeSockets makes a socket for each client. It runs on a thread of the namespace they
// are to be in. A client that gets none learns of it at its start. There are no more once
// the run is cancelled.
func (s *epollShard) makeSockets(ctx context.Context) error {
	for place := range s.sockets {
		if ctx.Err() != nil {
			return nil
		}
		fd, err := s.makeSocket(int32(place))
		if err != nil {
			s.broken[int32(place)] = setupError{err}
			descriptor(fd).close()
			continue
		}
		s.sockets[place].fd = descriptor32(fd)
	}
	return nil
}

// makeSocket returns the descriptor with an error too, if there is one.
func (s *epollShard) makeSocket(place int32) (int, error) {
	fd, err := unix.Socket(s.family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return int(noDescriptor), os.NewSyscallError("socket", err)
	}
	if s.cfg.Control != nil {
		network := "tcp4"
		if s.family == unix.AF_INET6 {
			network = "tcp6"
		}
		if err := s.cfg.Control(network, s.address, rawSocket(fd)); err != nil {
			return fd, err
		}
	}
	if err := s.ports.bind(fd, s.client(place).Number); err != nil {
		return fd, err
	}
	return fd, os.NewSyscallError("epoll_ctl", s.watch(unix.EPOLL_CTL_ADD, fd, place, 0))
}

// rawSocket lets a Control function at a descriptor.
type rawSocket int

func (s rawSocket) Control(f func(fd uintptr)) error {
	f(uintptr(s))
	return nil
}

func (rawSocket) Read(func(uintptr) bool) error  { return syscall.EOPNOTSUPP }
func (rawSocket) Write(func(uintptr) bool) error { return syscall.EOPNOTSUPP }

// watch tells epoll what the client waits for: edges of what can be read, and more.
func (s *epollShard) watch(op, fd int, place int32, more uint32) error {
	s.asked = unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLET | more, Fd: place}
	return unix.EpollCtl(int(s.epoll), op, fd, &s.asked)
}

// poll waits for events for so long; zero: not at all.
//
// A call that may block lets the Go runtime give this thread's turn to others. One that
// may not goes past it.
func (s *epollShard) poll(wait time.Duration) []unix.EpollEvent {
	s.timeout = unix.NsecToTimespec(wait.Nanoseconds())
	var n uintptr
	var errno syscall.Errno
	if wait > 0 {
		n, _, errno = unix.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(s.epoll), uintptr(unsafe.Pointer(&s.events[0])), uintptr(len(s.events)),
			uintptr(unsafe.Pointer(&s.timeout)), 0, 0)
	} else {
		n, _, errno = unix.RawSyscall6(unix.SYS_EPOLL_PWAIT2, uintptr(s.epoll), uintptr(unsafe.Pointer(&s.events[0])), uintptr(len(s.events)),
			uintptr(unsafe.Pointer(&s.timeout)), 0, 0)
	}
	now := s.swarm.now()
	if errno == 0 && n == 0 && wait > 0 {
		s.stalls.add(now - s.seen - wait)
	}
	s.seen = now
	if errno != 0 { // a signal of the runtime's
		return nil
	}
	return s.events[:n]
}

// The calls below do not block, so they go past the runtime. They allocate nothing.

func (s *epollShard) connectCall(fd descriptor32) syscall.Errno {
	_, _, errno := unix.RawSyscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&s.to.bytes)), s.to.size)
	return errno
}

func (s *epollShard) sendCall(fd descriptor32, from uint32) (int, syscall.Errno) {
	rest := s.request[from:]
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.StringData(rest))), uintptr(len(rest)),
		unix.MSG_NOSIGNAL, 0, 0)
	return int(n), errno
}

func (s *epollShard) receiveCall(fd descriptor32) (int, syscall.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&s.buffer[0])), uintptr(len(s.buffer)), 0, 0, 0)
	return int(n), errno
}
