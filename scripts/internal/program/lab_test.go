package program

import (
	"errors"
	"io"
	"os"
	"slices"
	"testing"

	"github.com/rstlab/rstlab/scripts/internal/captured"
)

// inLab runs fn as the program does, on a lab with three cleanups, and gives in which
// order they were called, whether the lab failed, what it printed and the panic that came
// through.
func inLab(t *testing.T, fn func(*Lab)) (undone []int, failed bool, stderr string, passed any) {
	t.Helper()
	_, stderr = captured.Run(t, "", func() {
		lab := &Lab{Name: "scenario"}
		for i := range 3 {
			lab.Cleanup(func() { undone = append(undone, i) })
		}
		defer func() { passed = recover() }()
		defer func() { failed = lab.Close(recover()) }()
		fn(lab)
	})
	return undone, failed, stderr, passed
}

func TestLab(t *testing.T) {
	errOther := errors.New("index out of range")
	for _, test := range []struct {
		name   string
		do     func(*Lab)
		failed bool
		stderr string
		passed any
	}{
		{"nothing", func(*Lab) {}, false, "", nil},
		{"log", func(l *Lab) { l.Logf("kernel %d", 6) }, false, "kernel 6\n", nil},
		{"error", func(l *Lab) { l.Errorf("close: %d left", 2); l.Logf("and on") }, true, "scenario: close: 2 left\nand on\n", nil},
		{"fatal", func(l *Lab) { l.Fatalf("no %s", "veth"); l.Logf("not reached") }, true, "scenario: no veth\n", nil},
		{"skip", func(l *Lab) { l.Skipf("needs %s", "root"); l.Logf("not reached") }, true, "scenario: needs root\n", nil},
		{"panic", func(*Lab) { panic(errOther) }, false, "", errOther},
		{"error in a cleanup", func(l *Lab) { l.Cleanup(func() { l.Errorf("host: busy") }) }, true, "scenario: host: busy\n", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			undone, failed, stderr, passed := inLab(t, test.do)
			if want := []int{2, 1, 0}; !slices.Equal(undone, want) {
				t.Errorf("undone: %v, want %v", undone, want)
			}
			if failed != test.failed || stderr != test.stderr || passed != test.passed {
				t.Errorf("failed %v, printed %q, panic %v; want %v, %q, %v", failed, stderr, passed, test.failed, test.stderr, test.passed)
			}
		})
	}
}

func TestLabOutput(t *testing.T) {
	if got := (&Lab{}).Output(); got != os.Stderr {
		t.Errorf("Output() = %v, want standard error, since standard output is for results", got)
	}
	if got := (&Lab{Log: io.Discard}).Output(); got != io.Discard {
		t.Errorf("Output() = %v, want the Log", got)
	}
}
