package witness

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// capture records the packets of one host: of eth0, and of lo if asked for.
type capture struct{ rings []*ring }

func openCapture(h *netlab.Host, cfg Config) (*capture, error) {
	devices := []string{"eth0"}
	if cfg.Loopback {
		devices = append(devices, loopback)
	}
	c := &capture{}
	for _, device := range devices {
		r, err := openRing(h, device, cfg)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("host %s: %w", h.Name(), err), c.close())
		}
		c.rings = append(c.rings, r)
	}
	return c, nil
}

// read gives the packets from the start of the recording to its end, in order of their
// times, and how many were let go.
func (c *capture) read(start time.Time, end time.Duration) ([]scenario.Packet, int, error) {
	all, letGo := []scenario.Packet{}, 0
	for _, r := range c.rings {
		packets, n, err := r.read(start)
		if err != nil {
			return nil, 0, err
		}
		all, letGo = append(all, packets...), letGo+n
	}
	all = slices.DeleteFunc(all, func(p scenario.Packet) bool { return p.At < 0 || p.At > end })
	slices.SortStableFunc(all, func(a, b scenario.Packet) int { return cmp.Compare(a.At, b.At) })
	return all, letGo, nil
}

// close is for nil, too: a capture that was not opened.
func (c *capture) close() error {
	if c == nil {
		return nil
	}
	errs := make([]error, len(c.rings))
	inParallel(len(c.rings), func(i int) { errs[i] = c.rings[i].close() })
	return errors.Join(errs...)
}

// inParallel calls fn with 0 to n-1, each on a goroutine of its own, and returns when
// all have returned.
func inParallel(n int, fn func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { fn(i) })
	}
	all.Wait()
}
