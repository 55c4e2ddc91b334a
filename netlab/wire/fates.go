package wire

import (
	"fmt"

	"github.com/rstlab/rstlab/netlab/scenario"
	"golang.org/x/sys/unix"
)

// States of a TCP socket, include/net/tcp_states.h.
const (
	tcpEstablished = 1
	tcpSYNSent     = 2
	tcpClose       = 7
)

// fates asks the kernels at both ends what they have of each client. The accept queue
// is emptied for it.
func (t *trial) fates() ([]scenario.Fate, error) {
	queued, err := t.drainQueue()
	if err != nil {
		return nil, err
	}
	fates := make([]scenario.Fate, len(t.accepted))
	unsure := false
	for n := range fates {
		if fates[n], err = t.sockets.fate(n); err != nil {
			return nil, fmt.Errorf("client %d: %w", n, err)
		}
		switch {
		case fates[n] != scenario.Undecided:
		case t.accepted[n]:
			fates[n] = scenario.Served
		case queued[n]:
			fates[n] = scenario.Queued
		default:
			fates[n] = scenario.Ghost
			unsure = true
		}
	}
	if unsure {
		for _, client := range t.server.SYNQueue(t.port) {
			if n, ok := t.byPort[client.Port()]; ok && fates[n] == scenario.Ghost {
				fates[n] = scenario.Kept
			}
		}
	}
	return fates, nil
}

// drainQueue accepts everybody who is still in the accept queue.
func (t *trial) drainQueue() (map[int]bool, error) {
	queued := map[int]bool{}
	for !t.closed {
		from, err := t.sockets.accept()
		if err != nil || from == 0 {
			return queued, err
		}
		queued[t.byPort[from]] = true
	}
	return queued, nil
}

// fate is what client n's own socket tells: undecided if it is established.
func (s *sockets) fate(n int) (scenario.Fate, error) {
	info, err := unix.GetsockoptTCPInfo(s.clients[n], unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return 0, fmt.Errorf("getsockopt TCP_INFO: %w", err)
	}
	switch info.State {
	case tcpEstablished:
		return scenario.Undecided, nil
	case tcpSYNSent:
		return scenario.SYNDropped, nil
	}
	errno, err := unix.GetsockoptInt(s.clients[n], unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return 0, fmt.Errorf("getsockopt SO_ERROR: %w", err)
	}
	switch {
	case info.State == tcpClose && unix.Errno(errno) == unix.ECONNRESET:
		return scenario.Reset, nil
	case info.State == tcpClose && unix.Errno(errno) == unix.ECONNREFUSED:
		return scenario.Refused, nil
	}
	return 0, fmt.Errorf("its socket is in state %d with error %w, which no rule leads to", info.State, unix.Errno(errno))
}
