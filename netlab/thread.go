package netlab

import (
	"fmt"
	"os"
	"runtime"
	"sync"

	"github.com/vishvananda/netns"
)

// The main thread cannot be thrown away. Were the goroutine of onThread to land
// on it and fail to come home, every later user of that thread would sit in the
// wrong namespace. Locked from here on, only the main goroutine runs on it.
func init() { runtime.LockOSThread() }

// home is the namespace that the process started in. The descriptor lives as
// long as the process.
var home = sync.OnceValues(func() (netns.NsHandle, error) {
	ns, err := netns.GetFromPath("/proc/self/ns/net")
	return ns, os.NewSyscallError("open", err)
})

// onThread runs fn on a thread of its own, on which fn may change the network
// namespace, and brings the thread home before it returns. A thread that cannot
// come home dies with its goroutine.
func onThread(fn func() error) error {
	homeNS, err := home()
	if err != nil {
		return fmt.Errorf("open the process's own network namespace: %w", err)
	}
	result := make(chan error, 1)
	go func() {
		// Goexit, as t.Fatal calls it, must not leave the caller waiting.
		err := errGoexit
		defer func() { result <- err }()
		runtime.LockOSThread()
		defer func() {
			if netns.Set(homeNS) == nil {
				runtime.UnlockOSThread()
			}
		}()
		err = fn()
	}()
	return <-result
}

var errGoexit = fmt.Errorf("the function called runtime.Goexit; call t.Fatal on the test's own goroutine")

// within runs fn on a thread that is in ns.
func within(ns netns.NsHandle, fn func() error) error {
	return onThread(func() error {
		if err := netns.Set(ns); err != nil {
			return os.NewSyscallError("setns", err)
		}
		return fn()
	})
}
