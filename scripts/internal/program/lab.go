// Package program lets a program that is no test make labs.
package program

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Lab is the test that netlab's labs belong to in a program. Messages go to standard
// error.
type Lab struct {
	Name string    // in front of what went wrong
	Log  io.Writer // for the output of programs in the lab; nil: standard error

	cleanups []func()
	failed   bool
}

// errStop ends the program from within a lab; what to say has been said.
var errStop = errors.New("stop")

// Helper does nothing: a message has no line number here.
func (l *Lab) Helper() {}

// Output is where the output of programs in the lab goes.
func (l *Lab) Output() io.Writer {
	if l.Log == nil {
		return os.Stderr
	}
	return l.Log
}

// Cleanup has Close call f.
func (l *Lab) Cleanup(f func()) { l.cleanups = append(l.cleanups, f) }

// Logf prints a line.
func (l *Lab) Logf(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// Errorf says what went wrong, and goes on.
func (l *Lab) Errorf(format string, args ...any) {
	l.failed = true
	l.Logf(l.Name+": "+format, args...)
}

// Fatalf says what went wrong and panics, for Close to recover.
func (l *Lab) Fatalf(format string, args ...any) {
	l.Errorf(format, args...)
	panic(errStop)
}

// Skipf is for a lab that cannot be had, without which the program has nothing to do.
func (l *Lab) Skipf(format string, args ...any) { l.Fatalf(format, args...) }

// Close undoes what was made, last made first, and tells whether anything failed. Defer
// it with what was recovered: it passes that on, unless Fatalf has panicked.
//
//	defer func() { failed = lab.Close(recover()) }()
func (l *Lab) Close(recovered any) (failed bool) {
	for i := len(l.cleanups) - 1; i >= 0; i-- {
		l.cleanups[i]()
	}
	if err, ok := recovered.(error); recovered != nil && (!ok || !errors.Is(err, errStop)) {
		panic(recovered)
	}
	return l.failed
}
