package scenario

import (
	"fmt"
	"strings"
)

// Fate is what became of one client. Every client ends in exactly one.
//
// The zero value means undecided; a finished run holds none.
type Fate uint8

// The fates. The first group needs a look at the server too: to its client a
// connection that is queued, kept or a ghost is established all the same. The
// second group is what a client can tell alone, by its first error and by what the
// server's kernel has acknowledged (tcpi_bytes_acked), because after a reset the next
// call gives another error: the first read ECONNRESET, a later write EPIPE.
const (
	Undecided Fate = iota
	Served         // accepted; where a client asks, every request was answered

	Queued      // in the accept queue; a client calls so what was acknowledged and never answered, accepted or not
	Kept        // established at the client, still SYN_RECV at the server: its ACK met a full accept queue
	Ghost       // established at the client, nothing at the server: the ACK of a SYN cookie met a full accept queue
	GhostOrKept // established at the client, and no byte of its request acknowledged: the server has no socket for it
	SYNDropped  // no answer to any SYN

	Reset             // ECONNRESET: a RST came where an answer was due; to a client, before the server had acknowledged any of its request
	ResetAfterRequest // ECONNRESET, when the request was acknowledged and no byte of the answer had come
	Refused           // ECONNREFUSED: a RST answered the SYN
	Unreachable       // the network said so: EHOSTUNREACH, ENETUNREACH and the like
	TimedOut          // the deadline passed in the course of the answers, or where nothing is known of the connection
	Closed            // EOF or EPIPE: the server closed before the first byte of an answer
	Truncated         // EOF or ECONNRESET within an answer
	BadStatus         // a complete answer with a status from 400 up
	LocalError        // the client's own machine failed: no descriptor, no local port
	Failed            // anything else, such as a malformed answer or a cancelled run
)

var fateNames = [...]string{
	"undecided", "served",
	"queued", "kept", "ghost", "ghost_or_kept", "syn_dropped",
	"reset", "reset_after_request", "refused", "unreachable", "timed_out", "closed", "truncated", "bad_status",
	"local_error", "failed",
}

// SwarmFates lists the fates a client of a swarm can have, in the order in which
// ledgers print them.
func SwarmFates() []Fate {
	return []Fate{
		Served, Queued, GhostOrKept, SYNDropped, Reset, ResetAfterRequest, Refused, Unreachable,
		TimedOut, Closed, Truncated, BadStatus, LocalError, Failed,
	}
}

// OutcomeFates lists the fates of an [Outcome], in the order in which they are
// printed.
func OutcomeFates() []Fate {
	return []Fate{Served, Queued, Reset, Kept, Ghost, SYNDropped, Refused}
}

// String gives the fate's name, as it stands in JSON.
func (f Fate) String() string {
	if int(f) < len(fateNames) {
		return fateNames[f]
	}
	return fmt.Sprintf("fate(%d)", uint8(f))
}

// MarshalText gives the fate's name. A value that is no fate is an error.
func (f Fate) MarshalText() ([]byte, error) {
	if int(f) >= len(fateNames) {
		return nil, fmt.Errorf("%v is not a fate", f)
	}
	return []byte(fateNames[f]), nil
}

// UnmarshalText reads a fate's name.
func (f *Fate) UnmarshalText(text []byte) error {
	for i, name := range fateNames {
		if name == string(text) {
			*f = Fate(i)
			return nil
		}
	}
	return fmt.Errorf("fate %q: want one of %s", text, strings.Join(fateNames[1:], ", "))
}

// Fates counts clients by fate. A fate without a client may be absent.
type Fates map[Fate]int

// Total is the number of clients counted.
func (f Fates) Total() int {
	total := 0
	for _, n := range f {
		total += n
	}
	return total
}

// String lists the fates that occurred, in the order of the constants:
// "served 331, reset 69".
func (f Fates) String() string {
	var parts []string
	for fate := range fateNames {
		if n := f[Fate(fate)]; n != 0 {
			parts = append(parts, fmt.Sprintf("%v %d", Fate(fate), n))
		}
	}
	if parts == nil {
		return "no clients"
	}
	return strings.Join(parts, ", ")
}
