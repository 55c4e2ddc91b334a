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
	withheld int       // the descriptor whose answer is withheld; negative: none
	until    time.Time // so long
}

// conn is one connection.
type conn struct {
	head     head
	answered bool
}

// Many descriptors are never used, but a table that grows stalls the loop for some
// milliseconds each time.
const (
	tableSize   = 19_990
	acceptBatch = 64 // before the others have their turn
)

func newServer(plan serverPlan) (*server, error) {
	s := &server{plan: plan, conns: make([]conn, tableSize), withheld: -1}
	var limit unix.Rlimit
	err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit)
	if err != nil {
		return nil, os.NewSyscallError("getrlimit", err)
	}
	if s.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return nil, os.NewSyscallError("eventfd", err)
	}
	last, err := unix.FcntlInt(uintptr(s.wake), unix.F_DUPFD_CLOEXEC, min(int(limit.Cur), tableSize)-1)
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

func (s *server) watch(fd int, events uint32) error {
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(s.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)}))
}

// run serves until it is woken.
func (s *server) run() error {
	for {
		n, err := unix.EpollWait(s.epoll, s.events[:], s.patience())
		if err != nil && err != unix.EINTR {
			return os.NewSyscallError("epoll_wait", err)
		}
		for _, event := range s.events[:max(0, n)] {
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

// patience is how many milliseconds to wait for events; -1: for ever.
func (s *server) patience() int {
	if s.withheld < 0 {
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
		case unix.EAGAIN, unix.ECONNABORTED:
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

// answer answers a request, and tells whether the connection is still open.
func (s *server) answer(fd int) bool {
	c := &s.conns[fd]
	first := !c.answered
	if first && s.Connections+1 == s.plan.Expect && s.plan.Withhold > 0 && s.withheld < 0 {
		s.withheld, s.until = fd, time.Now().Add(s.plan.Withhold)
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

// release gives the answer that was withheld, when its time has come.
func (s *server) release() {
	if s.withheld < 0 || time.Now().Before(s.until) {
		return
	}
	fd := s.withheld
	s.plan.Withhold, s.withheld = 0, -1
	s.answer(fd)
}

func (s *server) close(fd int) {
	if fd == s.withheld {
		s.withheld = -1
	}
	_, _, _ = syscall.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0) // nothing is written late
	s.open--
}
