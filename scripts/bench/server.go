package main

import (
	"net"
	"net/netip"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// serverRole is the server of every question: one thread that does nothing else.
const serverRole = "bench-server"

// serverPlan is what a server is to do.
type serverPlan struct {
	Address  string        // to listen on
	Backlog  int           // of listen(2)
	Expect   int           // so many connections are waited for; zero: any number
	Withhold time.Duration // all answers, until so long after the last of them has asked; zero: none
	Close    bool          // each connection after its answer
	Share    bool          // the port with other servers, by SO_REUSEPORT
	Report   string        // the file for what it counted
}

// served is what a server counted. Times are from the first accept.
type served struct {
	Accepted    int // connections
	Answered    int // requests
	Connections int // of them, with at least one answer
	Peak        int // open at one time

	Together int           // had asked when the answers were no longer withheld
	Expected time.Duration // until the connection that was the last to be waited for had its answer; zero: never
	Open     int           // open by then
	Last     time.Duration // until the last answer
}

// runServer serves until SIGTERM, and then writes what it counted.
func runServer(args []string) error {
	plan, err := planOf[serverPlan](args)
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	runtime.GOMAXPROCS(2) // one for this thread, which never lets go of it
	s, err := newServer(plan)
	if err != nil {
		return err
	}
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	go func() {
		<-terminated
		_, _ = unix.Write(s.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // of an eventfd: it has room
	}()
	if err := s.run(); err != nil {
		return err
	}
	return writeJSON(plan.Report, s.served)
}

// listen opens a socket that listens.
func (p serverPlan) listen() (int, error) {
	addr, err := netip.ParseAddrPort(p.Address)
	if err != nil {
		return -1, err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	options := []int{unix.SO_REUSEADDR}
	if p.Share {
		options = append(options, unix.SO_REUSEPORT)
	}
	for _, option := range options {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, 1); err != nil {
			return fd, os.NewSyscallError("setsockopt", err)
		}
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: addr.Addr().As4(), Port: int(addr.Port())}); err != nil {
		return fd, &net.OpError{Op: "listen", Net: "tcp", Addr: net.TCPAddrFromAddrPort(addr), Err: os.NewSyscallError("bind", err)}
	}
	return fd, os.NewSyscallError("listen", unix.Listen(fd, p.Backlog))
}
