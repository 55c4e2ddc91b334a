package netlab

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// recorder is a TB that keeps what a lab says instead of ending the test.
type recorder struct {
	*testing.T
	mu     sync.Mutex
	output strings.Builder
	fatal  string
}

// newRecorder skips the test where no lab can be had, in its own name.
func newRecorder(t *testing.T) *recorder {
	New(t)
	return &recorder{T: t}
}

func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.output.Write(p)
}

func (r *recorder) Output() io.Writer { return r }

// text is the output so far.
func (r *recorder) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.output.String()
}

func (r *recorder) awaitOutput(want string) {
	r.Helper()
	await(r.T, fmt.Sprintf("the output %q", want), func() bool { return r.text() == want })
}

// Fatalf ends the goroutine that called it; see fatal.
func (r *recorder) Fatalf(format string, args ...any) {
	r.fatal = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// fatal gives what f says with Fatalf about the host.
func fatal(t *testing.T, h *Host, f func()) string {
	t.Helper()
	r := &recorder{T: t}
	h.lab.tb = r
	defer func() { h.lab.tb = t }()
	var run sync.WaitGroup
	run.Go(f)
	run.Wait()
	return r.fatal
}
