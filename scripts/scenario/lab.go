package main

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// labTB is the test that netlab's labs belong to in a program.
type labTB struct {
	cleanups []func()
	failed   bool
}

// errStop ends the program from within a lab; what to say has been said.
var errStop = errors.New("stop")

func (l *labTB) Helper()           {}
func (l *labTB) Output() io.Writer { return os.Stderr }
func (l *labTB) Cleanup(f func())  { l.cleanups = append(l.cleanups, f) }

func (l *labTB) Logf(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

func (l *labTB) Errorf(format string, args ...any) {
	l.failed = true
	l.Logf("scenario: "+format, args...)
}

func (l *labTB) Fatalf(format string, args ...any) {
	l.Errorf(format, args...)
	panic(errStop)
}

// Skipf is for a lab that cannot be had, without which the program has nothing to do.
func (l *labTB) Skipf(format string, args ...any) { l.Fatalf(format, args...) }

// close undoes what was made, last made first, and tells whether anything failed. It
// passes on what was recovered, unless that is errStop.
func (l *labTB) close(recovered any) (failed bool) {
	for i := len(l.cleanups) - 1; i >= 0; i-- {
		l.cleanups[i]()
	}
	if err, ok := recovered.(error); recovered != nil && (!ok || !errors.Is(err, errStop)) {
		panic(recovered)
	}
	return l.failed
}
