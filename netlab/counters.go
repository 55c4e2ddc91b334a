package netlab

import (
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
// CurrEstab, are left out. A reading takes some 70 µs.
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
type counterFiles struct {
	netstat, snmp *os.File
	text          bytes.Buffer // of the last reading
	headers       counterHeaders
}

func openCounterFiles(h *Host) (*counterFiles, error) {
	files := &counterFiles{headers: counterHeaders{}}
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
	f.text.Reset()
	for _, file := range []*os.File{f.netstat, f.snmp} {
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		if _, err := f.text.ReadFrom(file); err != nil {
			return nil, err
		}
	}
	return f.headers.parse(f.text.String())
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
// or longer than 1 MiB, and where reading fails.
//
// Source, checked on v6.18: netstat_seq_show and snmp_seq_show (net/ipv4/proc.c).
func ParseCounters(r io.Reader) (scenario.Counters, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxCounters+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxCounters {
		return nil, fmt.Errorf("more than %d bytes are not the counters of a host", maxCounters)
	}
	return counterHeaders{}.parse(string(text))
}

// maxCounters bounds a text of counters, in bytes. Those of a host take some 10,000.
const maxCounters = 1 << 20

// counterHeaders has the lines of names that were read before, since hardly any is new in
// the next reading: the protocol with its colon, and then what each counter is called.
// What is no counter is called nothing.
type counterHeaders map[string][]string

// parse reads a text as ParseCounters does.
func (h counterHeaders) parse(text string) (scenario.Counters, error) {
	counters := make(scenario.Counters, 400) // Linux 6.18 has some 300
	for text != "" {
		var header, line string
		header, text, _ = strings.Cut(text, "\n")
		if text == "" {
			return nil, fmt.Errorf("line of names %.20q without a line of values", header)
		}
		line, text, _ = strings.Cut(text, "\n")
		names, values := h.names(header), strings.Fields(line)
		if len(names) == 0 || len(names) != len(values) || names[0] != values[0] {
			return nil, fmt.Errorf("%d names above %d values do not belong together: %.40q", len(names), len(values), line)
		}
		for i, name := range names[1:] {
			if name == "" {
				continue
			}
			value, err := parseUint(values[i+1])
			if err != nil {
				return nil, fmt.Errorf("counter %s: %w", name, err)
			}
			counters[name] = value
		}
	}
	return counters, nil
}

// names splits a line of names.
func (h counterHeaders) names(header string) []string {
	if names, ok := h[header]; ok {
		return names
	}
	names := strings.Fields(header)
	for i, name := range names[min(1, len(names)):] {
		if names[0] != "Tcp:" && names[0] != "TcpExt:" {
			name = strings.TrimSuffix(names[0], ":") + name
		}
		if notCounters[name] {
			name = ""
		}
		names[i+1] = name
	}
	h[header] = names
	return names
}

func parseUint(text string) (uint64, error) { return strconv.ParseUint(text, 10, 64) }
