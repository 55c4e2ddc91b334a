package wire

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
	"golang.org/x/sys/unix"
)

// Calibrate measures how this kernel differs from others.
func (w *Wire) Calibrate() (scenario.Calibration, error) { return calibrate(w.Client, w.Play) }

// Calibrate is like [Wire.Calibrate].
func (p *Plug) Calibrate() (scenario.Calibration, error) { return calibrate(p.Client, p.Play) }

// calibrate plays a burst against a SYN queue that is too short for it and counts who
// was let in.
func calibrate(client *netlab.Host, play func(scenario.Scenario) (scenario.Outcome, error)) (scenario.Calibration, error) {
	const limit = 3
	s := scenario.Defaults()
	s.Arrivals = scenario.Arrivals{{Clients: 3 * limit}}
	s.RTT, s.Backlog, s.SYNCookies = 10*time.Millisecond, limit, 0
	s.Accept.Mode = scenario.AcceptNever
	o, err := play(s)
	if err != nil {
		return scenario.Calibration{}, fmt.Errorf("calibrate: %w", err)
	}
	linear, err := linearTimeouts(client)
	if err != nil {
		return scenario.Calibration{}, err
	}
	tick, err := jiffy()
	return scenario.Calibration{SYNQueueExtra: o.Fates[scenario.Queued] - limit, LinearSYNTimeouts: linear, Tick: tick}, err
}

// jiffy is the length of a tick of the kernel's clock, which its coarse clocks count in:
// clock_getres(2).
func jiffy() (time.Duration, error) {
	var resolution unix.Timespec
	if err := unix.ClockGetres(unix.CLOCK_MONOTONIC_COARSE, &resolution); err != nil {
		return 0, fmt.Errorf("calibrate: %w", os.NewSyscallError("clock_getres", err))
	}
	return time.Duration(resolution.Nano()), nil
}

// linearTimeouts is the sysctl of the client's kernel; kernels without it have none.
func linearTimeouts(client *netlab.Host) (int, error) {
	text, err := client.ReadSysctl("net.ipv4.tcp_syn_linear_timeouts")
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("calibrate: %w", err)
	}
	return strconv.Atoi(text)
}
