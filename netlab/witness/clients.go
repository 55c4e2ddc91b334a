package witness

import (
	"errors"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
	"golang.org/x/sys/unix"
)

// clientLog is what client programs were told.
type clientLog struct {
	mu  sync.Mutex
	all []scenario.ClientError
}

func (l *clientLog) add(told ...scenario.ClientError) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, told...)
}

func (l *clientLog) list() []scenario.ClientError {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.all)
}

// AddClients adds what clients were told, before or after Stop. The times are to count
// from Start. It is safe for concurrent use.
func (r *Recording) AddClients(told ...scenario.ClientError) { r.clients.add(told...) }

// Told notes that a client was told err just now, in the phase dial, write or read. A
// nil error is nothing to be noted. It is safe for concurrent use.
func (r *Recording) Told(phase string, local, remote netip.AddrPort, err error) {
	if err == nil {
		return
	}
	told := scenario.ClientError{At: time.Since(r.start), Local: local, Remote: remote, Phase: phase, Text: err.Error()}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		told.Errno = unix.ErrnoName(errno)
	}
	r.clients.add(told)
}
