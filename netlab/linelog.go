package netlab

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

// lineLog passes a program's output on line by line with a prefix, and keeps the
// last lines for the message that ends the test.
type lineLog struct {
	to     io.Writer
	prefix string

	mu      sync.Mutex
	partial []byte
	last    []string
}

const keptLines = 20

func newLineLog(to io.Writer, prefix string) *lineLog { return &lineLog{to: to, prefix: prefix} }

// Write takes any part of the output. It never fails: a log that is lost must not
// stop the program.
func (l *lineLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.partial = append(l.partial, p...)
	for {
		line, rest, found := bytes.Cut(l.partial, []byte("\n"))
		if !found {
			return len(p), nil
		}
		l.line(string(line))
		l.partial = rest
	}
}

// flush passes on a last line that has no end.
func (l *lineLog) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.partial) > 0 {
		l.line(string(l.partial))
		l.partial = nil
	}
}

func (l *lineLog) line(line string) {
	l.last = append(l.last, line)
	if len(l.last) > keptLines {
		l.last = l.last[1:]
	}
	_, _ = fmt.Fprintf(l.to, "%s%s\n", l.prefix, line)
}

// lines are the last lines of output.
func (l *lineLog) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.last)
}

// lastLines are the last lines of output for the end of an error message.
func (l *lineLog) lastLines() string {
	last := l.lines()
	if len(last) == 0 {
		return "; it printed nothing"
	}
	return "; it printed last:\n\t" + strings.Join(last, "\n\t")
}
