package netlab

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// Counters reads all counters of the host's /proc/net/netstat and /proc/net/snmp.
// What moved in between is the difference of two readings:
//
//	before := server.Counters()
//	...
//	moved := server.Counters().Since(before)
//
// Gauges and settings that the kernel prints among the counters, such as
// CurrEstab, are left out. A reading takes some 80 µs.
func (h *Host) Counters() scenario.Counters {
	h.lab.tb.Helper()
	counters, err := h.readCounters()
	if err != nil {
		h.lab.tb.Fatalf("netlab: host %s: read counters: %v", h.name, err)
	}
	return counters
}

func (h *Host) readCounters() (scenario.Counters, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.counters == nil {
		files, err := openCounterFiles(h)
		if err != nil {
			return nil, err
		}
		h.counters = files
	}
	return h.counters.read()
}

// counterFiles are the host's counters in procfs. A file opened in a namespace
// stays bound to it and can be read again from the start by any thread.
type counterFiles struct{ netstat, snmp *os.File }

func openCounterFiles(h *Host) (*counterFiles, error) {
	files := &counterFiles{}
	err := h.Do(func() (err error) {
		if files.netstat, err = os.Open("/proc/thread-self/net/netstat"); err != nil {
			return err
		}
		files.snmp, err = os.Open("/proc/thread-self/net/snmp")
		return err
	})
	if err != nil {
		return nil, errors.Join(err, files.close())
	}
	return files, nil
}

func (f *counterFiles) read() (scenario.Counters, error) {
	var both bytes.Buffer
	for _, file := range []*os.File{f.netstat, f.snmp} {
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		if _, err := both.ReadFrom(file); err != nil {
			return nil, err
		}
	}
	return ParseCounters(&both)
}

func (f *counterFiles) close() error {
	var errs []error
	for _, file := range []*os.File{f.netstat, f.snmp} {
		if file != nil {
			errs = append(errs, file.Close())
		}
	}
	return errors.Join(errs...)
}

// notCounters are the gauges and settings among the counters.
var notCounters = map[string]bool{
	"IpForwarding": true, "IpDefaultTTL": true,
	"RtoAlgorithm": true, "RtoMin": true, "RtoMax": true, "MaxConn": true, "CurrEstab": true,
	"MPTcpExtMPCurrEstab": true,
}

// ParseCounters reads the text of /proc/net/netstat or /proc/net/snmp, or of both one
// after the other. Such a text has pairs of lines, names above values:
//
//	TcpExt: SyncookiesSent SyncookiesRecv ...
//	TcpExt: 0 0 ...
//
// The result has every counter, those at zero too, and belongs to the caller; gauges and
// settings are left out. Names of Tcp and TcpExt are kept bare, others get their protocol
// in front. An empty text gives no counters. It fails for a text that is not of this form
// and where reading fails.
//
// Source, checked on v6.18: netstat_seq_show and snmp_seq_show (net/ipv4/proc.c).
func ParseCounters(r io.Reader) (scenario.Counters, error) {
	counters := scenario.Counters{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		names := strings.Fields(lines.Text())
		if !lines.Scan() {
			return nil, errors.Join(fmt.Errorf("line of names %.20q without a line of values", strings.Join(names, " ")), lines.Err())
		}
		values := strings.Fields(lines.Text())
		if len(names) == 0 || len(names) != len(values) || names[0] != values[0] {
			return nil, fmt.Errorf("%d names above %d values do not belong together: %.40q", len(names), len(values), lines.Text())
		}
		if err := addCounters(counters, names, values); err != nil {
			return nil, err
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	return counters, nil
}

// addCounters adds those of one pair of lines, which both begin with the protocol.
func addCounters(counters scenario.Counters, names, values []string) error {
	prefix := strings.TrimSuffix(names[0], ":")
	if prefix == "Tcp" || prefix == "TcpExt" {
		prefix = ""
	}
	for i, name := range names[1:] {
		name = prefix + name
		if notCounters[name] {
			continue
		}
		value, err := parseUint(values[i+1])
		if err != nil {
			return fmt.Errorf("counter %s: %w", name, err)
		}
		counters[name] = value
	}
	return nil
}

func parseUint(text string) (uint64, error) { return strconv.ParseUint(text, 10, 64) }
