package loadclient

import (
	"net/netip"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// Errors are what the clients that were not served were told about their connections to
// the server, as evidence for a diagnosis. Their times count from the start of the run.
func (r Result) Errors(server netip.AddrPort) []scenario.ClientError {
	var all []scenario.ClientError
	for _, c := range r.Clients {
		if c.Error != "" {
			all = append(all, scenario.ClientError{At: c.Ended, Local: c.Local, Remote: server, Phase: c.Phase.String(), Errno: c.ErrnoName(), Text: c.Error})
		}
	}
	return all
}
