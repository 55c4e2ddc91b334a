package rpc

import (
	"cmp"
	"errors"
	"net"
	"syscall"
	"time"
)

const (
	minBackoff = 5 * time.Millisecond
	maxBackoff = time.Second
)

// acceptLoop takes a place before each accept and gives it back when the
// connection ends.
func (s *Server) acceptLoop(ln net.Listener) error {
	places := make(chan struct{}, cmp.Or(s.MaxConns, defaultMaxConns))
	for {
		select {
		case places <- struct{}{}:
		case <-s.stopping:
			return ErrServerClosed
		}
		conn, err := s.accept(ln)
		if err != nil {
			return err
		}
		go func() {
			defer func() { <-places }()
			s.serveConn(conn)
		}()
	}
}

// accept waits longer after each failure that can pass, up to maxBackoff: a
// retry at once would spin for as long as descriptors are short.
func (s *Server) accept(ln net.Listener) (net.Conn, error) {
	for backoff := minBackoff; ; backoff = min(2*backoff, maxBackoff) {
		conn, err := ln.Accept()
		switch {
		case err == nil:
			return conn, nil
		case s.isStopped():
			return nil, ErrServerClosed
		case !temporary(err):
			return nil, err
		}
		select {
		case <-time.After(backoff):
		case <-s.stopping:
			return nil, ErrServerClosed
		}
	}
}

// temporary reports the errors of accept(2) that mean want of descriptors or
// memory. The connection stays in the accept queue.
func temporary(err error) bool {
	errno, _ := errors.AsType[syscall.Errno](err)
	switch errno {
	case syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM:
		return true
	}
	return false
}
