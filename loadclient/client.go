package loadclient

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
	"golang.org/x/sys/unix"
)

// Client is the record of one client. Times count from the start of the run; a
// zero time other than Planned means that the client did not get that far.
//
// A swarm keeps one for each client from the start, so it is small, and holds no
// memory of its own: clients that failed alike share the text of Error.
type Client struct {
	Number int           `json:"number"` // from zero, in the order of the arrivals
	Fate   scenario.Fate `json:"fate"`

	// The first failure; all zero for a served client. Where a call failed in
	// both directions at once, Phase is the one that took the errno from the
	// kernel, so it may differ from run to run; the fate does not.
	Phase Phase         `json:"phase,omitzero"`
	Errno syscall.Errno `json:"errno,omitzero"`
	Error string        `json:"error,omitzero"` // without addresses, so that like errors read alike

	Status   int `json:"status,omitzero"`   // HTTP status of the last answer whose head arrived; zero: none
	Answered int `json:"answered,omitzero"` // requests answered completely with a status below 400

	Planned   time.Duration `json:"planned_ns"`
	Started   time.Duration `json:"started_ns,omitzero"`    // the connect began
	Connected time.Duration `json:"connected_ns,omitzero"`  // the connection was seen to stand
	FirstByte time.Duration `json:"first_byte_ns,omitzero"` // of the first answer
	Ended     time.Duration `json:"ended_ns,omitzero"`      // the fate was known

	Sent     int64 `json:"sent_bytes,omitzero"`
	Received int64 `json:"received_bytes,omitzero"`

	Local netip.AddrPort `json:"local,omitzero"` // zero: unknown, or no port was taken
	TCP   TCP            `json:"tcp,omitzero"`   // zero: unknown, see [TCP]
}

// TCP is what the client's kernel knew of its connection at the end, the evidence of
// its fate. It is unknown, the zero value, for a client that never started, for a
// failed dial of [Config.Dial], and for a connection of it that is not TCP.
type TCP struct {
	BytesAcked  uint64 `json:"bytes_acked"` // the SYN counts as one
	SYNRetries  uint32 `json:"syn_retries"` // SYNs sent after the first one
	Retransmits uint32 `json:"retransmits"` // segments sent again after the connect
	State       uint8  `json:"state"`       // 1 ESTABLISHED, 2 SYN_SENT, 7 CLOSE ...: include/net/tcp_states.h
}

// Known tells whether anything is known of the connection.
func (t TCP) Known() bool { return t.State != 0 }

// ErrnoName is the name of Errno, such as "ECONNRESET"; empty where there is none.
func (c Client) ErrnoName() string {
	if c.Errno == 0 {
		return ""
	}
	return unix.ErrnoName(c.Errno)
}

// MarshalJSON adds the errno's name.
func (c Client) MarshalJSON() ([]byte, error) {
	type plain Client
	return json.Marshal(struct {
		plain
		ErrnoName string `json:"errno_name,omitzero"`
	}{plain(c), c.ErrnoName()})
}

// failure is an error and where it happened; a nil err is no failure.
type failure struct {
	phase Phase
	err   error
}

// end gives the client its fate, with what is known of its connection in c.TCP. Begun
// tells whether a byte of the answer that was due has come.
func (c *Client) end(at time.Duration, f failure, begun bool) {
	e := evidenceOf(f.err)
	e.tcp, e.begun = c.TCP, begun
	e.connected, e.answered = f.phase != PhaseDial, c.Answered > 0
	c.Ended = at
	c.Fate = e.fate()
	if f.err == nil {
		return
	}
	c.Phase = f.phase
	c.Error = reason(f.err)
	if errno, ok := errors.AsType[syscall.Errno](f.err); ok {
		c.Errno = errno
	}
}

// reason is the error's text without the addresses that [net.OpError] puts in
// front.
func reason(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err.Error()
	}
	return err.Error()
}

// check proves that the record has a fate and that its times are in order.
func (c Client) check() error {
	if !slices.Contains(scenario.SwarmFates(), c.Fate) {
		return fmt.Errorf("client %d: fate is %v", c.Number, c.Fate)
	}
	if (c.Fate == scenario.Served) != (c.Error == "") {
		return fmt.Errorf("client %d: fate is %v with error %q", c.Number, c.Fate, c.Error)
	}
	last := time.Duration(0)
	if c.Started != 0 {
		last = c.Planned
	}
	for _, t := range [...]time.Duration{c.Started, c.Connected, c.FirstByte, c.Ended} {
		if t != 0 && t < last {
			return fmt.Errorf("client %d: planned, started, connected, first byte and ended are %v, want them in order",
				c.Number, []time.Duration{c.Planned, c.Started, c.Connected, c.FirstByte, c.Ended})
		}
		last = max(last, t)
	}
	return nil
}
