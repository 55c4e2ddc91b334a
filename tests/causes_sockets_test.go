package tests

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/wire"
	"golang.org/x/sys/unix"
)

// These causes need socket options that package net does not know.

// A client comes back with the port of a connection that the server has in TIME_WAIT,
// and with an initial sequence number before its end. Without timestamps the server
// asks, and the client answers that it knows of nothing.
func stageTimeWaitReuse(t *testing.T) staged {
	s := newScene(t, t)
	s.w.Server.Sysctl("net.ipv4.tcp_timestamps", "0")
	s.w.Client.Sysctl("net.ipv4.tcp_timestamps", "0")
	ln := s.listen(16)
	s.start()
	const isn = 1_000_000_000
	first, err := dialFrom(s, 40000, isn)
	fatal(t, err)
	server := s.accept(ln)
	fatal(t, server.Close()) // the server closes first, and keeps TIME_WAIT
	s.read(first)
	s.clients = nil // EOF is what it should be told
	fatal(t, first.Close())
	// The port is free when the client's first socket has gone through its last states.
	var second *net.TCPConn
	s.until("the client has its port again", func() bool {
		second, err = dialFrom(s, 40000, isn-1000)
		return !errors.Is(err, unix.EADDRINUSE) && !errors.Is(err, unix.EADDRNOTAVAIL)
	})
	fatal(t, err)
	defer second.Close()
	return s.stop()
}

// dialFrom connects from a port with an initial sequence number of the caller's
// choice, which TCP_REPAIR sets (tcp_v4_connect keeps what is not zero).
func dialFrom(s *scene, port, isn int) (*net.TCPConn, error) {
	dialer := dialerWith(s.w.Client,
		option{unix.TCP_REPAIR, 1}, option{unix.TCP_REPAIR_QUEUE, 2}, option{unix.TCP_QUEUE_SEQ, isn}, option{unix.TCP_REPAIR, 0})
	dialer.LocalAddr = &net.TCPAddr{IP: s.w.Client.Addrs()[0].AsSlice(), Port: port}
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	conn, err := dialer.DialContext(ctx, "tcp4", s.target())
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil
}

// The SYN carries data, and the listener is closed before it is accepted.
func stageFastOpenClosed(t *testing.T) staged {
	s := newScene(t, t)
	s.w.Client.Sysctl("net.ipv4.tcp_fastopen", "5")    // client, without a cookie
	s.w.Server.Sysctl("net.ipv4.tcp_fastopen", "1538") // server, without a cookie, on every listener
	ln := s.listen(16)
	s.start()
	dialer := dialerWith(s.w.Client, option{unix.TCP_FASTOPEN_CONNECT, 1})
	conn, err := dialer.DialContext(t.Context(), "tcp4", s.target())
	fatal(t, err)
	defer conn.Close()
	client := conn.(*net.TCPConn)
	fatal(t, client.SetDeadline(time.Now().Add(patience)))
	s.write(client, "x") // this sends the SYN
	s.queued(1)
	s.until("the handshake is over", func() bool {
		return s.w.Server.Counters()["TCPFastOpenPassive"] == 1 && len(s.w.Server.Connections(frontPort)) == 1
	})
	fatal(t, ln.Close())
	s.read(client)
	return s.stop()
}

// Nothing that the client sends arrives any more, and its kernel gives up.
func stageUserTimeout(t *testing.T) staged {
	s := newScene(t, t)
	ln := s.listen(16)
	var cut atomic.Bool
	s.w.Drop(func(p *wire.Packet) bool { return cut.Load() && p.From == wire.Client })
	s.start()
	client := s.dial()
	server := s.accept(ln)
	s.write(client, "x")
	s.receive(server, 1)
	onSocket(t, client, func(fd int) error { return setOptions(fd, option{unix.TCP_USER_TIMEOUT, 1500}) })
	s.until("the byte is acknowledged", func() bool { return tcpInfo(t, client).Unacked == 0 })
	cut.Store(true)
	s.write(client, "y")
	s.read(client)
	return s.stop()
}

// tcpInfo is what the kernel tells of a connection.
func tcpInfo(t *testing.T, conn *net.TCPConn) (info *unix.TCPInfo) {
	t.Helper()
	onSocket(t, conn, func(fd int) (err error) {
		info, err = unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		return err
	})
	return info
}
