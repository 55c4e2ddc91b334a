package witness

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// tracer records the kernel's tracepoints tcp:tcp_send_reset and skb:kfree_skb in a
// trace instance of its own, which disturbs nobody else's tracing and is removed in the
// end.
type tracer struct {
	root int    // of the trace file system
	dir  int    // of the instance
	pipe int    // trace_pipe of the instance; open for as long as it lives, so that nobody can remove it
	name string // of the instance, below root
}

// TraceAvailable says why this process cannot have the kernel's own reasons, which
// Config.Trace asks for, or nil. They are for the machine's own root.
func TraceAvailable() error {
	t, err := openTracer()
	if err != nil {
		return err
	}
	return t.close()
}

const (
	sendReset = "tcp_send_reset"
	freeSKB   = "kfree_skb"
)

// openTracer begins to trace.
func openTracer() (*tracer, error) {
	t := &tracer{root: -1, dir: -1, pipe: -1}
	err := t.open()
	if err != nil {
		return nil, errors.Join(err, t.close())
	}
	return t, nil
}

func (t *tracer) open() (err error) {
	if t.root, err = mountTracefs(); err != nil {
		return err
	}
	sweep(t.root)
	if err := t.makeInstance(); err != nil {
		return fmt.Errorf("make a trace instance: %w", err)
	}
	format, err := readAt(t.dir, "events/skb/kfree_skb/format")
	if err != nil {
		return fmt.Errorf("tracepoint skb:kfree_skb: %w", err)
	}
	for _, setting := range [][2]string{
		{"trace_clock", "mono"},
		{"buffer_size_kb", bufferSize},
		{"options/overwrite", "0"}, // when the buffer is full the first events are kept, and the others counted
		{"events/skb/kfree_skb/filter", telling(format)},
		{"events/tcp/tcp_send_reset/enable", "1"},
		{"events/skb/kfree_skb/enable", "1"},
	} {
		if err := writeAt(t.dir, setting[0], setting[1]); err != nil {
			return fmt.Errorf("set up the trace: %w", err)
		}
	}
	return nil
}

// instances numbers the trace instances of this process.
var instances atomic.Int64

// bufferSize is how many KiB of events each CPU keeps, some 15 events a KiB, those of
// other labs included.
const bufferSize = "4096"

const instancePrefix = "instances/rstlab-"

func (t *tracer) makeInstance() (err error) {
	name := fmt.Sprintf("%s%d-%d", instancePrefix, os.Getpid(), instances.Add(1))
	if err := unix.Mkdirat(t.root, name, 0o700); err != nil {
		return &os.PathError{Op: "mkdir", Path: name, Err: err}
	}
	t.name = name
	if t.dir, err = unix.Openat(t.root, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
		return &os.PathError{Op: "open", Path: name, Err: err}
	}
	if t.pipe, err = unix.Openat(t.dir, "trace_pipe", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0); err != nil {
		return &os.PathError{Op: "open", Path: name + "/trace_pipe", Err: err}
	}
	return nil
}

// sweep removes the instances of processes that were killed. One that is alive, in
// whatever PID namespace, has its trace_pipe open, and the kernel does not remove it.
func sweep(root int) {
	names, err := namesIn(root, "instances")
	if err != nil {
		return // there is nothing to sweep, and making one's own will say why
	}
	for _, name := range names {
		pid, _, ours := strings.Cut(strings.TrimPrefix("instances/"+name, instancePrefix), "-")
		if _, err := strconv.Atoi(pid); err != nil || !ours {
			continue
		}
		if _, err := os.Stat("/proc/" + pid); errors.Is(err, os.ErrNotExist) {
			_ = unix.Unlinkat(root, "instances/"+name, unix.AT_REMOVEDIR) // somebody else's turn if it is busy
		}
	}
}

// read ends the tracing and gives the hits so far, CPU by CPU merged in order of their
// times. The error says how many were lost; the others are valid all the same.
func (t *tracer) read() ([]hit, error) {
	if err := writeAt(t.dir, "events/enable", "0"); err != nil {
		return nil, fmt.Errorf("end the trace: %w", err)
	}
	lost, err := t.lost()
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	buffer := make([]byte, 1<<16)
	for {
		n, err := unix.Read(t.pipe, buffer)
		if errors.Is(err, unix.EAGAIN) || err == nil && n == 0 {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read the trace: %w", os.NewSyscallError("read", err))
		}
		text.Write(buffer[:n])
	}
	if lost > 0 {
		err = fmt.Errorf("the trace has lost %d events for want of memory", lost)
	}
	return parseTrace(text.String()), err
}

// lost adds up the events that did not fit into the buffers of the CPUs:
//
//	dropped events: 0
func (t *tracer) lost() (uint64, error) {
	cpus, err := namesIn(t.dir, "per_cpu")
	if err != nil {
		return 0, err
	}
	total := uint64(0)
	for _, cpu := range cpus {
		text, err := readAt(t.dir, "per_cpu/"+cpu+"/stats")
		if err != nil {
			return 0, err
		}
		_, after, _ := strings.Cut(text, "dropped events: ")
		count, _, _ := strings.Cut(after, "\n")
		n, err := strconv.ParseUint(count, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("stats of %s do not tell the dropped events: %w", cpu, err)
		}
		total += n
	}
	return total, nil
}

// close removes the instance, which the kernel takes some 20 ms for.
func (t *tracer) close() error {
	var errs []error
	for _, fd := range []int{t.pipe, t.dir} {
		if fd >= 0 {
			errs = append(errs, os.NewSyscallError("close", unix.Close(fd)))
		}
	}
	if t.name != "" {
		errs = append(errs, t.remove())
	}
	if t.root >= 0 {
		errs = append(errs, os.NewSyscallError("close", unix.Close(t.root)))
	}
	return errors.Join(errs...)
}

// execTime is far more than a child process needs from its fork to its exec.
const execTime = 5 * time.Second

// remove removes the instance. A child process that another goroutine is starting has
// copies of the descriptors just closed, until its exec, and for as long the kernel finds
// the instance busy; nothing tells when it is over but asking again.
func (t *tracer) remove() error {
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		err := unix.Unlinkat(t.root, t.name, unix.AT_REMOVEDIR)
		if !errors.Is(err, unix.EBUSY) || time.Since(start) > execTime {
			return os.NewSyscallError("rmdir", err)
		}
	}
}
