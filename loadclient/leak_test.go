package loadclient_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// TestNoDescriptorIsLeft goes through every kind of end, good, bad and cancelled. It is
// not parallel, because it counts the whole process's descriptors.
func TestNoDescriptorIsLeft(t *testing.T) {
	for _, engine := range engines {
		everyFate(t, engine) // opens what the Go runtime keeps for good
		before := openDescriptors(t)
		everyFate(t, engine)
		if after := openDescriptors(t); after != before {
			t.Errorf("%v: %d descriptors are open, want %d as before", engine, after, before)
		}
	}
}

func everyFate(t *testing.T, engine loadclient.Engine) {
	t.Helper()
	end := func(cfg loadclient.Config, s *server, fate scenario.Fate) {
		t.Helper()
		cfg.Engine, cfg.Target, cfg.Clients = engine, s.target(), 20
		checkAll(t, run(t, cfg), fate)
		s.stop()
	}
	end(loadclient.Config{}, listen(t, loopback).serve(closing(answering(okAnswer))), scenario.Served)
	end(loadclient.Config{}, listen(t, loopback).serve(resetting(1)), scenario.ResetAfterRequest)
	end(loadclient.Config{}, listen(t, loopback).serve(closing(answeringOnce(""))), scenario.Closed)
	end(loadclient.Config{}, listen(t, loopback).serve(closing(answering(status("500 Oops", "")))), scenario.BadStatus)

	closed := listen(t, loopback)
	closed.stop()
	end(loadclient.Config{}, closed, scenario.Refused)

	full := listen(t, loopback)
	stopFilling := full.fill(t)
	end(loadclient.Config{Timeout: 50 * ms}, full, scenario.SYNDropped)
	stopFilling()

	for _, after := range []time.Duration{0, time.Millisecond, 20 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(t.Context(), after)
		silentServer := listen(t, loopback).serve(closing(silent))
		result, err := loadclient.Run(ctx, loadclient.Config{Engine: engine, Target: silentServer.target(), Clients: 20, Gap: ms})
		if !errors.Is(err, context.DeadlineExceeded) || result.Fates[scenario.Failed] != 20 {
			t.Errorf("cancelled after %v: %v, %v, want 20 failed", after, err, result)
		}
		cancel()
		silentServer.stop()
	}
}

// openDescriptors counts the process's descriptors, without the one it reads
// them through.
func openDescriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatalf("count descriptors: %v", err)
	}
	return len(entries) - 1
}
