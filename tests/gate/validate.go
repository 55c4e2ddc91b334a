package gate

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// mostClients is bounded by the descriptors of one process.
const mostClients = 10_000

// Validate says in one sentence what is wrong with the first bad field. Fields have
// their names in rstlab.yaml; as flags they have dashes.
func (c Config) Validate() error {
	for _, check := range []func() error{c.checkServer, c.checkProtocol, c.checkArrivals, c.checkTimes, c.checkLimits} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (c Config) checkServer() error {
	switch {
	case c.Target == "" && (c.Port != 0 || c.Dir != "" || c.Env != nil || c.Files != nil):
		return errors.New("there is no target: want the command that starts the server, or neither port, dir, env nor files for rstlab's own front")
	case c.Target == "" && c.Protocol != protocolHTTP:
		return fmt.Errorf("protocol is %q without a target: rstlab's own front speaks http", c.Protocol)
	case c.Target != "" && (c.Port < 1 || c.Port > 65535):
		return fmt.Errorf("port is %d: want the port on which the target listens, from 1 to 65535", c.Port)
	}
	for name := range c.Files {
		if !filepath.IsLocal(name) || filepath.Base(name) != name {
			return fmt.Errorf("files has %q: want a file name without a folder", name)
		}
	}
	return nil
}

func (c Config) checkProtocol() error {
	switch {
	case c.Protocol != protocolHTTP && c.Protocol != protocolTCP:
		return fmt.Errorf("protocol is %q: want http or tcp", c.Protocol)
	case c.Protocol == protocolHTTP && (c.Send != "" || c.Expect != ""):
		return errors.New("send or expect is set beside protocol http: want protocol tcp, or neither")
	case c.Protocol == protocolHTTP && (c.Path == "" || c.Path[0] != '/'):
		return fmt.Errorf("path is %q: want one that begins with a slash", c.Path)
	case c.Protocol == protocolTCP && c.Expect == "":
		return errors.New("expect is empty with protocol tcp: want the beginning of the server's answer, such as \"+PONG\"")
	case c.Protocol == protocolTCP && c.Send == "" && c.Requests > 1:
		return fmt.Errorf("requests is %d without send: want 1, since a server that speaks first does so once", c.Requests)
	}
	return nil
}

func (c Config) checkArrivals() error {
	switch {
	case c.Arrivals != nil && c.Clients != 0:
		return fmt.Errorf("clients is %d beside arrivals: want only one of them", c.Clients)
	case c.Arrivals != nil && c.Gap != 0:
		return fmt.Errorf("gap is %v beside arrivals: want the gap inside the waves", c.Gap)
	case c.Arrivals == nil && c.Clients < 1:
		return fmt.Errorf("clients is %d: want at least 1", c.Clients)
	case c.Gap < 0:
		return fmt.Errorf("gap is %v: want zero for all at once, or more", c.Gap)
	}
	if err := c.waves().Validate(); err != nil {
		return fmt.Errorf("arrivals: %w", err)
	}
	if n := c.waves().Clients(); n > mostClients {
		return fmt.Errorf("there are %d clients: want at most %d, each with descriptors of its own", n, mostClients)
	}
	return nil
}

func (c Config) checkTimes() error {
	switch {
	case c.Requests < 1:
		return fmt.Errorf("requests is %d: want at least 1", c.Requests)
	case c.Timeout <= 0:
		return fmt.Errorf("timeout is %v: want more than zero", c.Timeout)
	case c.Patience <= 0:
		return fmt.Errorf("patience is %v: want more than zero", c.Patience)
	case c.Stall < 0:
		return fmt.Errorf("stall is %v: want zero or more", c.Stall)
	case c.Stall >= c.Timeout:
		return fmt.Errorf("stall is %v and timeout %v: want a timeout that is longer, or every client fails", c.Stall, c.Timeout)
	case c.RTT < 0 || c.RTT >= time.Second:
		return fmt.Errorf("rtt is %v: want less than 1s, after which a client repeats its SYN", c.RTT)
	}
	return nil
}

func (c Config) checkLimits() error {
	for _, limit := range []struct {
		name string
		most int
	}{{"resets", c.Limits.Resets}, {"syn_unanswered", c.Limits.SYNUnanswered}, {"unanswered", c.Limits.Unanswered}} {
		if limit.most < 0 {
			return fmt.Errorf("limits: %s is %d: want zero or more clients", limit.name, limit.most)
		}
	}
	if c.Limits.ConnectP99 < 0 {
		return fmt.Errorf("limits: connect_p99 is %v: want zero for any, or more", c.Limits.ConnectP99)
	}
	return nil
}
