package witness

import (
	"cmp"
	"fmt"
	"time"
)

// Config says what to record. Its zero value is useful.
type Config struct {
	SnapLength int           // bytes kept of each packet, from the IP header on; zero means 128, at most 65535
	MaxPackets int           // kept of each interface, the first ones; zero means 65,536, or fewer long ones that fill 16 MB
	Loopback   bool          // whether the interface lo is recorded too, each of its packets once
	Interval   time.Duration // between two looks at the counters and queues; zero means 5 ms
	Trace      bool          // whether to ask for the kernel's own reasons: see TraceAvailable
}

const (
	defaultSnapLength = 128
	defaultMaxPackets = 1 << 16
	defaultInterval   = 5 * time.Millisecond

	maxSnapLength = 1<<16 - 1

	defaultMemory = 1 << 24 // bytes for the packets of an interface
	maxMemory     = 1 << 30
)

// withDefaults fills in what was left zero and refuses what makes no sense.
func (c Config) withDefaults() (Config, error) {
	c.SnapLength = cmp.Or(c.SnapLength, defaultSnapLength)
	c.Interval = cmp.Or(c.Interval, defaultInterval)
	if c.SnapLength < 0 || c.SnapLength > maxSnapLength {
		return c, fmt.Errorf("SnapLength is %d, want 0 to %d bytes", c.SnapLength, maxSnapLength)
	}
	most := layoutFor(1, c.SnapLength).perBlock * (maxMemory / blockSize)
	c.MaxPackets = cmp.Or(c.MaxPackets, min(defaultMaxPackets, most/(maxMemory/defaultMemory)))
	switch {
	case c.MaxPackets < 0 || c.MaxPackets > most:
		return c, fmt.Errorf("MaxPackets is %d, want 0 to %d, which fill 1 GiB", c.MaxPackets, most)
	case c.Interval < 0:
		return c, fmt.Errorf("the Interval is %v, want zero or more", c.Interval)
	}
	return c, nil
}
