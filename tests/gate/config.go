package gate

import (
	"cmp"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// Config says which server is gated, by which clients, and what may go wrong. Start from
// [Defaults]. The fields have the names of rstlab.yaml; durations are written as in
// "500ms".
type Config struct {
	Target string            `yaml:"target,omitempty"` // the command that starts the server, for sh; empty: rstlab's own front
	Port   int               `yaml:"port,omitempty"`   // that the server listens on; needed with Target
	Dir    string            `yaml:"dir,omitempty"`    // where the command runs; relative to the folder of rstlab.yaml
	Env    map[string]string `yaml:"env,omitempty"`    // for the server, beside the environment of the test
	Files  map[string]string `yaml:"files,omitempty"`  // text by file name, in a fresh folder that the command knows as $RSTLAB_FILES

	Protocol string `yaml:"protocol"`         // "http", or "tcp" for a server that does not speak it
	Path     string `yaml:"path,omitempty"`   // of the HTTP request
	Send     string `yaml:"send,omitempty"`   // over tcp: the request; empty: the server speaks first
	Expect   string `yaml:"expect,omitempty"` // over tcp: how the answer begins
	IPv6     bool   `yaml:"ipv6,omitempty"`   // clients come over IPv6

	Clients  int               `yaml:"clients,omitempty"`  // how many; without Arrivals
	Gap      time.Duration     `yaml:"gap,omitempty"`      // between two clients; zero: all at once
	Arrivals scenario.Arrivals `yaml:"arrivals,omitempty"` // waves of clients, at and gap, instead of Clients and Gap
	Requests int               `yaml:"requests"`           // of each client, one after another
	Timeout  time.Duration     `yaml:"timeout"`            // from a client's planned start to its last answer
	RTT      time.Duration     `yaml:"rtt,omitempty"`      // round-trip time between clients and server; zero: a veth pair
	Stall    time.Duration     `yaml:"stall"`              // how long the server is paused (SIGSTOP) from the first client on; zero: not at all
	Sysctls  map[string]string `yaml:"sysctls,omitempty"`  // of the server's host, by their dotted names, set before the server starts
	Patience time.Duration     `yaml:"patience"`           // for the server to listen

	Limits Limits `yaml:"limits"`
}

// Limits are the most that may go wrong. The zero value allows nothing.
type Limits struct {
	Resets        int           `yaml:"resets"`                // clients that saw ECONNRESET
	SYNUnanswered int           `yaml:"syn_unanswered"`        // clients whose first SYN was not answered; it comes again after a second
	Unanswered    int           `yaml:"unanswered"`            // clients that were connected, and got no answer in time or the end of the connection
	ConnectP99    time.Duration `yaml:"connect_p99,omitempty"` // the slowest connect of 99 % of the clients, from the planned start; zero: any
}

// Defaults is the story: 400 clients at once, and a server that stands still for half a
// second.
func Defaults() Config {
	return Config{
		Protocol: protocolHTTP, Path: "/",
		Clients: 400, Requests: 1, Timeout: 4 * time.Second, Stall: 500 * time.Millisecond, Patience: 10 * time.Second,
	}
}

const (
	protocolHTTP = "http"
	protocolTCP  = "tcp"
)

// waves are the clients in the form that both ways of writing them come to.
func (c Config) waves() scenario.Arrivals {
	if c.Arrivals != nil {
		return c.Arrivals
	}
	return scenario.Arrivals{{Clients: c.Clients, Gap: c.Gap}}
}

// name is the server in few words.
func (c Config) name() string { return cmp.Or(c.Target, "rstlab's own front") }

// MarshalJSON has the names and the durations of rstlab.yaml.
func (c Config) MarshalJSON() ([]byte, error) {
	type plain Config
	return yaml.MarshalWithOptions(plain(c), yaml.JSON())
}
