package loadclient

import (
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
	"golang.org/x/sys/unix"
)

// progressInterval is the time between two versions of the progress line.
const progressInterval = 250 * time.Millisecond

// tally counts how far the clients are, for the progress line alone.
type tally struct {
	clients   int
	started   atomic.Int64
	connected atomic.Int64
	fates     [scenario.Failed + 1]atomic.Int64
}

// String is the progress line: "400 clients: started 400, connected 398; served
// 331, reset 69". The counts are read one by one, so they may be some clients
// apart.
func (t *tally) String() string {
	fates := scenario.Fates{}
	for fate := range t.fates {
		if n := t.fates[fate].Load(); n != 0 {
			fates[scenario.Fate(fate)] = int(n)
		}
	}
	line := fmt.Sprintf("%d clients: started %d, connected %d", t.clients, t.started.Load(), t.connected.Load())
	if len(fates) == 0 {
		return line
	}
	return line + "; " + fates.String()
}

// display rewrites the progress line on out until stop is called, which wipes
// it. Where out is no terminal, nothing is ever written.
func (t *tally) display(out io.Writer) (stop func()) {
	if !isTerminal(out) {
		return func() {}
	}
	const wipe = "\r\x1b[K" // to the line's start, erase to its end
	done := make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() {
		tick := time.NewTicker(progressInterval)
		defer tick.Stop()
		for {
			fmt.Fprint(out, wipe, t)
			select {
			case <-tick.C:
			case <-done:
				fmt.Fprint(out, wipe)
				return
			}
		}
	})
	return func() {
		close(done)
		writing.Wait()
	}
}

// isTerminal reports whether out is a file that answers TCGETS.
func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok || file == nil {
		return false
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return false
	}
	var termios error
	err = raw.Control(func(fd uintptr) { _, termios = unix.IoctlGetTermios(int(fd), unix.TCGETS) })
	return err == nil && termios == nil
}
