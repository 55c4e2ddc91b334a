package loadclient

import (
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
type Client struct {
	Number int           `json:"number"` // from zero, in the order of the arrivals
	Fate   scenario.Fate `json:"fate"`

	// The first failure; all zero for a served client. Where a call failed in
	// both directions at once, Phase is the one that took the errno from the
	// kernel, so it may differ from run to run; the fate does not.
	Phase     Phase         `json:"phase,omitzero"`
	Errno     syscall.Errno `json:"errno,omitzero"`
	ErrnoName string        `json:"errno_name,omitzero"` // such as "ECONNRESET"
	Error     string        `json:"error,omitzero"`      // without addresses, so that like errors read alike

	Status   int `json:"status,omitzero"`   // HTTP status of the last answer whose head arrived; zero: none
	Answered int `json:"answered,omitzero"` // requests answered completely with a status below 400

	Planned   time.Duration `json:"planned_ns"`
	Started   time.Duration `json:"started_ns,omitzero"`    // the dial began
	Connected time.Duration `json:"connected_ns,omitzero"`  // the dial returned a connection
	FirstByte time.Duration `json:"first_byte_ns,omitzero"` // of the first answer
	Ended     time.Duration `json:"ended_ns,omitzero"`      // the fate was known

	Sent     int64 `json:"sent_bytes,omitzero"`
	Received int64 `json:"received_bytes,omitzero"`

	Local netip.AddrPort `json:"local,omitzero"` // zero: unknown, or no port was taken
	TCP   *TCP           `json:"tcp,omitzero"`   // nil: unknown, see [TCP]
}

// TCP is what the kernel resent for one client. It is unknown, a nil pointer,
// for a client that never started, for a failed dial of [Config.Dial], and for
// a connection of it that is not TCP.
type TCP struct {
	SYNRetries  uint32 `json:"syn_retries"` // SYNs sent after the first one
	Retransmits uint32 `json:"retransmits"` // segments sent again after the connect
}

// Phase is where a client was when it first failed. The zero value means that
// it did not fail, or never started.
type Phase string

// The phases, in the order of a client's life. Answer is for what no call on
// the connection reported: a bad status, a malformed answer, a cancelled wait.
const (
	PhaseDial   Phase = "dial"
	PhaseWrite  Phase = "write"
	PhaseRead   Phase = "read"
	PhaseAnswer Phase = "answer"
)

// failure is an error and where it happened; a nil err is no failure.
type failure struct {
	phase Phase
	err   error
}

// end gives the client its fate.
func (c *Client) end(at time.Duration, f failure) {
	c.Ended = at
	c.Fate = fateOf(f.err)
	if f.err == nil {
		return
	}
	c.Phase = f.phase
	c.Error = reason(f.err)
	if errno, ok := errors.AsType[syscall.Errno](f.err); ok {
		c.Errno, c.ErrnoName = errno, unix.ErrnoName(errno)
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
	reached := slices.DeleteFunc([]time.Duration{c.Started, c.Connected, c.FirstByte, c.Ended},
		func(t time.Duration) bool { return t == 0 })
	if c.Started != 0 {
		reached = slices.Insert(reached, 0, c.Planned)
	}
	if !slices.IsSorted(reached) {
		return fmt.Errorf("client %d: planned, started, connected, first byte and ended are %v, want them in order",
			c.Number, []time.Duration{c.Planned, c.Started, c.Connected, c.FirstByte, c.Ended})
	}
	return nil
}
