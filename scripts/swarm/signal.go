package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// interruption is why a run ended early.
type interruption struct{ signal syscall.Signal }

func (i interruption) Error() string {
	return map[syscall.Signal]string{syscall.SIGINT: "interrupted", syscall.SIGTERM: "terminated"}[i.signal]
}

// status is what a shell makes of the end by a signal.
func (i interruption) status() int { return 128 + int(i.signal) }

// interruptible is done with an interruption once the process gets SIGINT or SIGTERM. The
// next one ends it at once.
func interruptible() (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		select {
		case s := <-signals:
			signal.Stop(signals)
			cancel(interruption{s.(syscall.Signal)})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel(nil)
	}
}
