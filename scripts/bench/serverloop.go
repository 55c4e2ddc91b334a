package main

import (
	"errors"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// server is a loop around epoll, with no more work for a connection than the system
// calls that it takes: what is measured is to be the clients.
type server struct {
	plan serverPlan
	served

	epoll, listener, wake int

	conns    []conn // by descriptor
	open     int
	begin    time.Time // of the first accept
	buffer   [4096]byte
	events   [512]unix.EpollEvent
	withheld int       // answers
	until    time.Time // so long
}

// conn is one connection.
type conn struct {
	head     head
	answered bool
	waits    bool // for an answer that is withheld
}

// acceptBatch is how many connections are taken before the others have their turn.
const acceptBatch = 64

// stillness is how long nobody may come before answers are not withheld any more: a tool
// that shares connections never makes all that it was asked for.
const stillness = time.Second

// newServer grows the table of descriptors first: one that grows stalls the loop for
// some milliseconds each time.
func newServer(plan serverPlan) (*server, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return nil, os.NewSyscallError("getrlimit", err)
	}
	s := &server{plan: plan, conns: make([]conn, min(limit.Cur, mostConns))}
	var err error
	if s.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return nil, os.NewSyscallError("eventfd", err)
	}
	last, err := unix.FcntlInt(uintptr(s.wake), unix.F_DUPFD_CLOEXEC, len(s.conns)-1)
	if err != nil {
		return nil, os.NewSyscallError("fcntl F_DUPFD_CLOEXEC", err)
	}
	if err := unix.Close(last); err != nil {
		return nil, os.NewSyscallError("close", err)
	}
	if s.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if s.listener, err = plan.listen(); err != nil {
		return nil, err
	}
	return s, errors.Join(s.watch(s.wake, unix.EPOLLIN), s.watch(s.listener, unix.EPOLLIN))
}

// mostConns bounds the descriptors of a server where the limit does not.
const mostConns = 1 << 20

func (s *server) watch(fd int, events uint32) error {
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(s.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)}))
}

// run serves until it is woken.
func (s *server) run() error {
	for {
		n, errno := s.poll(s.patience())
		if errno != 0 && errno != unix.EINTR {
			return os.NewSyscallError("epoll_pwait", errno)
		}
		for _, event := range s.events[:n] {
			switch fd := int(event.Fd); fd {
			case s.wake:
				return nil
			case s.listener:
				if err := s.accept(); err != nil {
					return err
				}
			default:
				s.receive(fd)
			}
		}
		s.release()
	}
}

// poll waits for events. It goes past the Go runtime also where it blocks: that would wake
// up a thread to watch over each call that takes long, and with a hundred processes on a
// few CPUs this costs more than all connections do. Others of this process have another
// turn, see runServer.
func (s *server) poll(milliseconds int) (int, syscall.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(s.epoll), uintptr(unsafe.Pointer(&s.events[0])), uintptr(len(s.events)), uintptr(milliseconds), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// patience is how many milliseconds to wait for events; -1: for ever.
func (s *server) patience() int {
	if s.withheld == 0 {
		return -1
	}
	return int(max(0, time.Until(s.until)).Milliseconds()) + 1
}

// accept takes a batch of connections. A request is often there already.
func (s *server) accept() error {
	for range acceptBatch {
		r, _, errno := unix.RawSyscall6(unix.SYS_ACCEPT4, uintptr(s.listener), 0, 0, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
		switch errno {
		case 0:
		case unix.EAGAIN, unix.ECONNABORTED, unix.EMFILE: // the last waits until others have closed
			return nil
		default:
			return os.NewSyscallError("accept4", errno)
		}
		if s.Accepted == 0 {
			s.begin = time.Now()
		}
		fd := int(r)
		s.Accepted++
		s.open++
		s.Peak = max(s.Peak, s.open)
		s.conns[fd] = conn{}
		if !s.receive(fd) {
			continue
		}
		if err := s.watch(fd, unix.EPOLLIN|unix.EPOLLET); err != nil {
			return err
		}
	}
	return nil
}

// receive reads what has come, and tells whether the connection is still open.
func (s *server) receive(fd int) bool {
	for {
		r, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&s.buffer[0])), uintptr(len(s.buffer)), 0, 0, 0)
		switch n := int(r); {
		case errno == unix.EAGAIN:
			return true
		case errno != 0 || n == 0:
			s.close(fd)
			return false
		default:
			if complete := s.conns[fd].head.feed(s.buffer[:n]); complete && !s.answer(fd) {
				return false
			}
			if n < len(s.buffer) {
				return true // edges tell of what comes later, and of the end
			}
		}
	}
}

// answer answers a request, or withholds the answer, and tells whether the connection is
// still open.
func (s *server) answer(fd int) bool {
	c := &s.conns[fd]
	if s.plan.Withhold > 0 {
		s.withhold(c)
		return true
	}
	closes := s.plan.Close || c.head.closes
	text := keepsOpen
	if closes {
		text = isClosed
	}
	_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.StringData(text))), uintptr(len(text)), unix.MSG_NOSIGNAL, 0, 0)
	if errno != 0 {
		s.close(fd)
		return false
	}
	s.count(c)
	c.head = head{}
	if closes {
		s.close(fd)
	}
	return !closes
}

// count notes an answer.
func (s *server) count(c *conn) {
	s.Answered++
	s.Last = time.Since(s.begin)
	if c.answered {
		return
	}
	c.answered = true
	s.Connections++
	if s.Connections == s.plan.Expect {
		s.Expected, s.Open = s.Last, s.open
	}
}

// withhold keeps an answer back until all that are waited for have asked, and a while
// longer.
func (s *server) withhold(c *conn) {
	c.waits = true
	s.withheld++
	s.until = time.Now().Add(stillness)
	if s.withheld == s.plan.Expect {
		s.until = time.Now().Add(s.plan.Withhold)
	}
}

// release gives the answers that were withheld, when their time has come.
func (s *server) release() {
	if s.withheld == 0 || time.Now().Before(s.until) {
		return
	}
	s.Together, s.plan.Withhold, s.withheld = s.withheld, 0, 0
	for fd := range s.conns {
		if s.conns[fd].waits {
			s.conns[fd].waits = false
			s.answer(fd)
		}
	}
}

func (s *server) close(fd int) {
	if s.conns[fd].waits {
		s.conns[fd].waits = false
		s.withheld--
	}
	_, _, _ = syscall.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0) // nothing is written late
	s.open--
}
