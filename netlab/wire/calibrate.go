package wire

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
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
	return scenario.Calibration{SYNQueueExtra: o.Fates[scenario.Queued] - limit, LinearSYNTimeouts: linear}, err
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
