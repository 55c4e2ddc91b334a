package loadclient

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"time"
)

// csvHeader names the columns of WriteCSV, like the fields in JSON.
var csvHeader = []string{
	"number", "fate", "phase", "errno", "error", "status", "answered",
	"planned_ns", "started_ns", "connected_ns", "first_byte_ns", "ended_ns",
	"sent_bytes", "received_bytes", "local", "bytes_acked", "syn_retries", "retransmits", "state",
}

// WriteCSV writes a header and one line for each client. Errnos have their names, and a
// cell is empty where a client did not get that far or nothing is known.
func (r Result) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write(csvHeader); err != nil {
		return err
	}
	for i := range r.Clients {
		if err := out.Write(r.Clients[i].cells()); err != nil {
			return fmt.Errorf("client %d: %w", r.Clients[i].Number, err)
		}
	}
	out.Flush()
	return out.Error()
}

func (c *Client) cells() []string {
	at := func(t time.Duration) string {
		if t == 0 {
			return ""
		}
		return strconv.FormatInt(t.Nanoseconds(), 10)
	}
	known := func(n uint64, known bool) string {
		if !known {
			return ""
		}
		return strconv.FormatUint(n, 10)
	}
	local := ""
	if c.Local.IsValid() {
		local = c.Local.String()
	}
	return []string{
		strconv.Itoa(c.Number), c.Fate.String(), c.Phase.String(), c.ErrnoName(), c.Error, known(uint64(c.Status), c.Status != 0), strconv.Itoa(c.Answered),
		strconv.FormatInt(c.Planned.Nanoseconds(), 10), at(c.Started), at(c.Connected), at(c.FirstByte), at(c.Ended),
		strconv.FormatInt(c.Sent, 10), strconv.FormatInt(c.Received, 10), local,
		known(c.TCP.BytesAcked, c.TCP.Known()), known(uint64(c.TCP.SYNRetries), c.TCP.Known()),
		known(uint64(c.TCP.Retransmits), c.TCP.Known()), known(uint64(c.TCP.State), c.TCP.Known()),
	}
}
