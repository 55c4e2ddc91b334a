package report

import (
	"time"

	"github.com/rstlab/rstlab/netlab/diagnose"
	"github.com/rstlab/rstlab/netlab/predict"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// Page is all that is known of a run. Every part is optional: one that has its zero
// value is left out of the output. Its JSON field names are stable.
type Page struct {
	Title string `json:"title,omitempty"` // zero: "rstlab"

	Runs         []Run             `json:"runs,omitempty"`          // the ledger, in the order in which it is shown
	Evidence     scenario.Evidence `json:"evidence,omitzero"`       // gives the queues over time, the resets and the packet ladders
	Diagnosis    diagnose.Report   `json:"diagnosis,omitzero"`      // gives the verdict, the causes and the books
	ConnectTimes []ConnectTime     `json:"connect_times,omitempty"` // in any order
	Heat         *Heat             `json:"heat,omitempty"`          // outcomes over two knobs
	Advice       *predict.Advice   `json:"advice,omitempty"`        // what would lose nobody
	Environment  []Fact            `json:"environment,omitempty"`   // in the order in which it is shown
}

// Run is one line of the ledger: a number of clients, and what became of them.
type Run struct {
	Name    string         `json:"name"`
	Fates   scenario.Fates `json:"fates"`
	Clients int            `json:"clients,omitempty"` // how many there should be; zero: as many as have a fate
	Failed  bool           `json:"failed,omitempty"`
	Why     string         `json:"why,omitempty"` // why it failed, in a sentence
}

// total is the number of clients that the line of a run stands for.
func (r Run) total() int { return max(r.Clients, r.Fates.Total()) }

// ConnectTime is how long the handshake of one client took.
type ConnectTime struct {
	Duration   time.Duration `json:"duration_ns"`           // from the first SYN to the end of connect(2), whatever its end
	SYNRetries int           `json:"syn_retries,omitempty"` // SYNs after the first one
	Fate       scenario.Fate `json:"fate"`
}

// Fact is one line about the environment, such as a kernel version or a sysctl.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// title is the page's title, which is never empty.
func (p Page) title() string {
	if p.Title == "" {
		return "rstlab"
	}
	return p.Title
}
