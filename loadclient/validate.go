package loadclient

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
)

// Validate says in one sentence which field is bad, its value, and what to
// write instead, as [Run] does. It reports the first bad field only.
func (c Config) Validate() error {
	return firstError(
		c.validateTarget,
		c.validateArrivals,
		c.validateClient,
		c.validateTalk,
		c.validateSources,
		c.validateDial,
		c.validateEngine,
		c.validateShards,
	)
}

// FieldError says what is wrong with a field of [Config].
type FieldError struct {
	Field string // such as "Clients"
	Err   error  // what to write behind its name, such as " is 0: want at least 1"
}

func (e FieldError) Error() string { return "field " + e.Field + e.Err.Error() }

// Unwrap gives Err.
func (e FieldError) Unwrap() error { return e.Err }

func badField(name, format string, args ...any) error {
	return FieldError{name, fmt.Errorf(format, args...)}
}

// firstError is the first error of the checks, which run in order.
func firstError(checks ...func() error) error {
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (c Config) validateTarget() error {
	const want = "want an absolute URL such as http://198.18.0.2:8080/ or tcp://198.18.0.2:6379"
	u, err := url.Parse(c.Target)
	switch {
	case err != nil:
		return badField("Target", " is %q: %s", c.Target, want)
	case u.Scheme == "https":
		return badField("Target", " is %q: want http, since TLS is not spoken", u.Redacted())
	case u.Scheme != "http" && u.Scheme != "tcp" || u.Hostname() == "":
		return badField("Target", " is %q: %s", u.Redacted(), want)
	case u.User != nil:
		return badField("Target", " is %q: want it without user and password", u.Redacted())
	case u.Scheme == "tcp" && (u.Port() == "" || u.Path != "" || u.RawQuery != ""):
		return badField("Target", " is %q: want only an address and a port behind tcp://, such as tcp://198.18.0.2:6379", c.Target)
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return badField("Target", " is %q: want a port from 1 to 65535", c.Target)
		}
	}
	return nil
}

func (c Config) validateArrivals() error {
	switch {
	case c.Waves != nil && c.Clients != 0:
		return badField("Clients", " is %d beside Waves: want only one of them", c.Clients)
	case c.Waves != nil && c.Gap != 0:
		return badField("Gap", " is %v beside Waves: want the gap inside the waves", c.Gap)
	case c.Waves != nil && c.Waves.Clients() == 0:
		return badField("Waves", " is empty: want at least one wave, or nil and Clients")
	case c.Waves != nil:
		if err := c.Waves.Validate(); err != nil {
			return badField("Waves", ": %w", err)
		}
	case c.Clients < 1:
		return badField("Clients", " is %d: want at least 1", c.Clients)
	case c.Gap < 0:
		return badField("Gap", " is %v: want zero for a burst, or more", c.Gap)
	}
	return nil
}

func (c Config) validateClient() error {
	switch {
	case c.Requests < 0:
		return badField("Requests", " is %d: want zero for one request, or more", c.Requests)
	case c.Think < 0:
		return badField("Think", " is %v: want zero for none, or more", c.Think)
	case c.Timeout < 0:
		return badField("Timeout", " is %v: want zero for %v, or more", c.Timeout, defaultTimeout)
	}
	return nil
}

func (c Config) validateTalk() error {
	switch {
	case !c.speaksHTTP() && c.Expect == "":
		return badField("Expect", " is empty beside a tcp Target: want the beginning of the answer, such as \"+PONG\"")
	case !c.speaksHTTP() && c.Send == "" && c.Requests > 1:
		return badField("Requests", " is %d without Send: want 1, since a server that speaks first does so once", c.Requests)
	case c.speaksHTTP() && c.Send != "":
		return badField("Send", " is %q beside an http Target: want a tcp Target, or no Send", c.Send)
	case c.speaksHTTP() && c.Expect != "":
		return badField("Expect", " is %q beside an http Target: want a tcp Target, or no Expect", c.Expect)
	}
	return nil
}

func (c Config) validateSources() error {
	for i, source := range c.Sources {
		switch {
		case !source.IsValid():
			return badField("Sources", "[%d] is the zero address: want one such as 198.18.0.1", i)
		case source.Zone() != "":
			return badField("Sources", "[%d] is %v: want an address without zone", i, source)
		case source.Is4In6():
			return badField("Sources", "[%d] is %v: want %v", i, source, source.Unmap())
		case source.Is4() != c.Sources[0].Is4():
			return badField("Sources", "[%d] is %v: want an %s address like Sources[0], %v",
				i, source, family(c.Sources[0]), c.Sources[0])
		}
	}
	return nil
}

func (c Config) validateDial() error {
	switch {
	case c.Dial != nil && c.Control != nil:
		return badField("Control", " is set beside Dial: want only one of them")
	case c.Dial != nil && c.Sources != nil:
		return badField("Sources", " is set beside Dial: want only one of them")
	}
	return nil
}

func (c Config) validateEngine() error {
	switch {
	case c.Engine > Epoll:
		return badField("Engine", " is %v: want HTTP or Epoll", c.Engine)
	case c.Engine == Epoll && !c.speaksHTTP():
		return badField("Target", " is %q with the engine Epoll: want an http Target, or the engine HTTP", c.Target)
	case c.Engine == Epoll && c.Dial != nil:
		return badField("Dial", " is set with the engine Epoll, which makes its sockets itself: want Control or Within")
	case c.Engine != Epoll && c.Within != nil:
		return badField("Within", " is set with the engine %v: want Control, or the engine Epoll", c.Engine)
	case c.Within != nil && c.Control != nil:
		return badField("Control", " is set beside Within: want only one of them")
	}
	return nil
}

func (c Config) validateShards() error {
	shards := max(c.Shards, 1)
	switch {
	case c.Shards < 0:
		return badField("Shards", " is %d: want zero for one, or more", c.Shards)
	case c.Shard < 0 || c.Shard >= shards:
		return badField("Shard", " is %d of %d: want 0 to %d", c.Shard, shards, shards-1)
	case c.ClockError < 0:
		return badField("ClockError", " is %v: want zero for unknown, or more", c.ClockError)
	case shards > 1 && c.Start.IsZero():
		return badField("Start", " is missing with %d shards: want the same instant in each", shards)
	case shards > c.withDefaults().Waves.Clients():
		return badField("Shards", " is %d with %d clients: want no more shards than clients", shards, c.withDefaults().Waves.Clients())
	}
	return nil
}

// family names the address family of an unmapped address.
func family(a netip.Addr) string {
	if a.Is4() {
		return "IPv4"
	}
	return "IPv6"
}
