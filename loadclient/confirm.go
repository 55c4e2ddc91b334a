package loadclient

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// Confirmation is what the server adds to what its clients know.
type Confirmation struct {
	Overflowed int `json:"overflowed"` // reset in the handshake: the server never accepted them
	ByProgram  int `json:"by_program"` // fate reset, and accepted: the server's program reset them
	Unanswered int `json:"unanswered"` // fate queued, and accepted: the server's program never answered them
	Waiting    int `json:"waiting"`    // fate queued, and not accepted: they are in the accept queue
}

// Confirm holds a result against the server: the addresses that its program accepted, as
// [Client.Local] has them, and what its counters moved by (nil: unknown). It settles what
// a client cannot tell, and its error names each contradiction: a client that was
// answered and not accepted, or accepted and never connected, or other resets in the
// handshake than EmbryonicRsts counts.
//
// The kernel may reset a handshake and complete it on another CPU at the same time, one in
// some ten thousand. EmbryonicRsts does not count such a reset, and the server's program
// accepts the connection, so that it counts as reset by the program.
func Confirm(r Result, accepted map[netip.AddrPort]bool, server scenario.Counters) (Confirmation, error) {
	var c Confirmation
	var errs []error
	for i := range r.Clients {
		client := &r.Clients[i]
		there := accepted[netip.AddrPortFrom(client.Local.Addr().Unmap(), client.Local.Port())]
		switch client.Fate {
		case scenario.Reset:
			count(&c.ByProgram, &c.Overflowed, there)
		case scenario.Queued:
			count(&c.Unanswered, &c.Waiting, there)
		case scenario.Served, scenario.BadStatus, scenario.Truncated, scenario.Closed, scenario.TimedOut:
			if !there {
				errs = append(errs, fmt.Errorf("client %d from %v is %v, and the server did not accept it", client.Number, client.Local, client.Fate))
			}
		case scenario.SYNDropped, scenario.GhostOrKept, scenario.Refused, scenario.Unreachable, scenario.LocalError:
			if there {
				errs = append(errs, fmt.Errorf("client %d from %v is %v, and the server accepted it", client.Number, client.Local, client.Fate))
			}
		}
	}
	if server != nil && server["EmbryonicRsts"] != uint64(c.Overflowed) {
		errs = append(errs, fmt.Errorf("EmbryonicRsts at the server moved by %d, and %d clients were reset that it did not accept",
			server["EmbryonicRsts"], c.Overflowed))
	}
	return c, errors.Join(errs...)
}

// count adds one to the first or the second.
func count(first, second *int, which bool) {
	if which {
		*first++
	} else {
		*second++
	}
}
