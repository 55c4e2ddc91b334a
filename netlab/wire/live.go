package wire

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Live carries packets in real time until ctx is done: the wire is then a link with
// latency and, by its rules, with loss. It goes on from Now, and what is scheduled
// happens when it is due or, on a busy machine, later. It holds one thread.
//
// Every packet is recorded, so a wire that lives long needs memory for all of them.
func (w *Wire) Live(ctx context.Context) error {
	if err := w.setPatient(false); err != nil {
		return err
	}
	wake, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("eventfd", err)
	}
	woken := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(woken)
		_, _ = unix.Write(wake, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // cannot fail on a fresh eventfd
	})
	defer func() {
		if !stop() {
			<-woken
		}
		_ = unix.Close(wake)
	}()
	begin := time.Now().Add(-w.now)
	defer func() {
		w.now = max(w.now, time.Since(begin))
		w.sample()
	}()
	for ctx.Err() == nil {
		if err := w.catchUp(begin); err != nil {
			return err
		}
		if err := w.await(begin, wake); err != nil {
			return err
		}
	}
	return nil
}

// GoLive runs Live on a goroutine of its own until stop is called, or until the test ends,
// which fails if Live does: the one that New was given. Until then the wire's methods are not to be called. Stop waits
// for the goroutine to end, and may be called again.
func (w *Wire) GoLive() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Live(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			w.tb.Errorf("wire: %v", err)
		}
	})
	w.tb.Cleanup(stop)
	return stop
}

// catchUp takes up what the hosts have sent and lets everything happen that is due.
func (w *Wire) catchUp(begin time.Time) error {
	w.now = max(w.now, time.Since(begin))
	if w.now >= w.recorded.last+sampleEvery {
		w.sample() // which may know already of packets that are taken up at this very time
	}
	if err := w.drain(Client, Server); err != nil {
		return err
	}
	for len(w.immediate) > 0 || len(w.events) > 0 && w.events[0].at <= w.now {
		if err := w.step(); err != nil {
			return err
		}
	}
	return nil
}

// await returns when a host has sent something, the next event is due, or Live is to
// end.
func (w *Wire) await(begin time.Time, wake int) error {
	var timeout *unix.Timespec
	if len(w.events) > 0 {
		timeout = new(unix.NsecToTimespec(int64(max(0, time.Until(begin.Add(w.events[0].at))))))
	}
	fds := []unix.PollFd{
		{Fd: int32(w.fds[Client]), Events: unix.POLLIN}, {Fd: int32(w.fds[Server]), Events: unix.POLLIN}, {Fd: int32(wake), Events: unix.POLLIN},
	}
	if _, err := unix.Ppoll(fds, timeout, nil); err != nil && !errors.Is(err, unix.EINTR) {
		return fmt.Errorf("wait for packets: %w", os.NewSyscallError("ppoll", err))
	}
	return nil
}
