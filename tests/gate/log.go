package gate

import (
	"bytes"
	"fmt"
	"io"
	"sync"

	"github.com/rstlab/rstlab/netlab"
)

// mostLog bounds what is kept of a server's output, in bytes.
const mostLog = 4 << 20

// serverLog keeps the beginning of a server's output, which would bury what the gate has
// to say.
type serverLog struct {
	mu   sync.Mutex
	text bytes.Buffer
	more int // bytes that were let go
}

func (l *serverLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	kept := min(len(p), mostLog-l.text.Len())
	l.text.Write(p[:kept])
	l.more += len(p) - kept
	return len(p), nil
}

func (l *serverLog) writeTo(w io.Writer) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := w.Write(l.text.Bytes()); err != nil || l.more == 0 {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%d more bytes were not kept\n", l.more)
	return err
}

// quietTB sends the output of programs to the log. A lab that cannot be had fails a gate
// that was asked for: one that is skipped would let everything pass.
type quietTB struct {
	netlab.TB
	log   *serverLog
	asked bool
}

// Skipf fails if the gate was asked for.
func (t quietTB) Skipf(format string, args ...any) {
	t.Helper()
	if t.asked {
		t.Fatalf("no verdict: "+format, args...)
	}
	t.TB.Skipf(format, args...)
}

func (t quietTB) Output() io.Writer { return t.log }
