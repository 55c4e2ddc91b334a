package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// counters are two readings of the server's.
type counters struct{ before, after scenario.Counters }

// readCounters reads both files; it fails if the second cannot be a later reading.
func readCounters(before, after string) (*counters, error) {
	first, err := readReading(before)
	if err != nil {
		return nil, err
	}
	second, err := readReading(after)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(first)) {
		if second[name] < first[name] {
			return nil, fmt.Errorf("counter %s went backwards from %d in %s to %d in %s: they are exchanged, or of two hosts, or the host was started in between",
				name, first[name], before, second[name], after)
		}
	}
	return &counters{first, second}, nil
}

// needed are counters of each of the two files, one of which is easily forgotten; an
// absent counter would count as one that did not move.
var needed = map[string]string{"ListenOverflows": "/proc/net/netstat", "OutRsts": "/proc/net/snmp"}

func readReading(name string) (scenario.Counters, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read the counters: %w", err)
	}
	defer file.Close()
	read, err := netlab.ParseCounters(file)
	if err != nil {
		return nil, fmt.Errorf("the counters in %s make no sense: %w", name, err)
	}
	for _, counter := range slices.Sorted(maps.Keys(needed)) {
		if _, ok := read[counter]; !ok {
			return nil, fmt.Errorf("%s has no counter %s; it takes both files: cat /proc/net/netstat /proc/net/snmp > %s", name, counter, name)
		}
	}
	return read, nil
}

// apart is how far the readings are put from the packets, so that each packet is clearly
// between them; when they were really taken is not known.
const apart = 10 * time.Millisecond

// around are the readings as samples before the first packet and after the last.
func (c *counters) around(last time.Duration) []scenario.CounterSample {
	return []scenario.CounterSample{{At: -apart, Counters: c.before}, {At: last + apart, Counters: c.after}}
}
