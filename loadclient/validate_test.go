package loadclient

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// configCase is an edit of the smallest configuration, and what Validate says of it.
type configCase struct {
	name string
	edit func(*Config)
	want string // empty: valid
}

func checkConfigs(t *testing.T, cases []configCase) {
	t.Helper()
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := Config{Target: "http://198.18.0.2:8080/", Clients: 1}
			test.edit(&cfg)
			got := ""
			if err := cfg.Validate(); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("Validate() = %q, want %q", got, test.want)
			}
		})
	}
}

func TestValidateTarget(t *testing.T) {
	t.Parallel()
	const absolute = "want an absolute URL such as http://198.18.0.2:8080/ or tcp://198.18.0.2:6379"
	const onlyAddress = "want only an address and a port behind tcp://, such as tcp://198.18.0.2:6379"
	tcp := func(c *Config) { c.Target, c.Send, c.Expect = "tcp://198.18.0.2:6379", "PING\r\n", "+PONG" }
	checkConfigs(t, []configCase{
		{"smallest", func(c *Config) {}, ""},
		{"host name", func(c *Config) { c.Target = "http://localhost/x?y=z" }, ""},
		{"IPv6 target", func(c *Config) { c.Target = "http://[2001:db8::2]:8080" }, ""},
		{"tcp", tcp, ""},
		{"tcp, server first", func(c *Config) { tcp(c); c.Send = "" }, ""},
		{"tcp with epoll", func(c *Config) { tcp(c); c.Engine = Epoll }, `field Target is "tcp://198.18.0.2:6379" with the engine Epoll: want an http Target, or the engine HTTP`},
		{"tcp without port", func(c *Config) { tcp(c); c.Target = "tcp://h" }, `field Target is "tcp://h": ` + onlyAddress},
		{"tcp with path", func(c *Config) { tcp(c); c.Target = "tcp://h:1/" }, `field Target is "tcp://h:1/": ` + onlyAddress},
		{"tcp, nothing expected", func(c *Config) { tcp(c); c.Expect = "" }, `field Expect is empty beside a tcp Target: want the beginning of the answer, such as "+PONG"`},
		{"server first, again", func(c *Config) { tcp(c); c.Send, c.Requests = "", 2 }, "field Requests is 2 without Send: want 1, since a server that speaks first does so once"},
		{"send over http", func(c *Config) { c.Send = "x" }, `field Send is "x" beside an http Target: want a tcp Target, or no Send`},
		{"expect over http", func(c *Config) { c.Expect = "x" }, `field Expect is "x" beside an http Target: want a tcp Target, or no Expect`},
		{"no target", func(c *Config) { c.Target = "" }, `field Target is "": ` + absolute},
		{"relative target", func(c *Config) { c.Target = "198.18.0.2/x" }, `field Target is "198.18.0.2/x": ` + absolute},
		{"target without scheme", func(c *Config) { c.Target = "198.18.0.2:80" }, `field Target is "198.18.0.2:80": ` + absolute},
		{"https", func(c *Config) { c.Target = "https://h/" }, `field Target is "https://h/": want http, since TLS is not spoken`},
		{"target without host", func(c *Config) { c.Target = "http://:80/" }, `field Target is "http://:80/": ` + absolute},
		{"target with user", func(c *Config) { c.Target = "http://u:p@h/" }, `field Target is "http://u:xxxxx@h/": want it without user and password`},
		{"port zero", func(c *Config) { c.Target = "http://h:0/" }, `field Target is "http://h:0/": want a port from 1 to 65535`},
		{"port too large", func(c *Config) { c.Target = "http://h:65536/" }, `field Target is "http://h:65536/": want a port from 1 to 65535`},
	})
}

func TestValidateSockets(t *testing.T) {
	t.Parallel()
	dial := func(context.Context, string, string) (net.Conn, error) { return nil, syscall.ECONNREFUSED }
	within := func(fn func() error) error { return fn() }
	control := func(string, string, syscall.RawConn) error { return nil }
	four, six := netip.MustParseAddr("198.18.0.1"), netip.MustParseAddr("2001:db8::1")
	checkConfigs(t, []configCase{
		{"sources", func(c *Config) { c.Sources = []netip.Addr{four, four} }, ""},
		{"dial", func(c *Config) { c.Dial = dial }, ""},
		{"zero source", func(c *Config) { c.Sources = []netip.Addr{four, {}} }, "field Sources[1] is the zero address: want one such as 198.18.0.1"},
		{"mapped source", func(c *Config) { c.Sources = []netip.Addr{netip.MustParseAddr("::ffff:198.18.0.1")} }, "field Sources[0] is ::ffff:198.18.0.1: want 198.18.0.1"},
		{"source with a zone", func(c *Config) { c.Sources = []netip.Addr{netip.MustParseAddr("fe80::1%eth0")} }, "field Sources[0] is fe80::1%eth0: want an address without zone"},
		{"two families", func(c *Config) { c.Sources = []netip.Addr{six, four} }, "field Sources[1] is 198.18.0.1: want an IPv6 address like Sources[0], 2001:db8::1"},
		{"no engine", func(c *Config) { c.Engine = 2 }, "field Engine is engine(2): want HTTP or Epoll"},
		{"epoll and dial", func(c *Config) { c.Engine, c.Dial = Epoll, dial }, "field Dial is set with the engine Epoll, which makes its sockets itself: want Control or Within"},
		{"epoll within", func(c *Config) { c.Engine, c.Within = Epoll, within }, ""},
		{"within and http", func(c *Config) { c.Within = within }, "field Within is set with the engine http: want Control, or the engine Epoll"},
		{"within and control", func(c *Config) { c.Engine, c.Within, c.Control = Epoll, within, control }, "field Control is set beside Within: want only one of them"},
		{"dial and control", func(c *Config) { c.Dial, c.Control = dial, control }, "field Control is set beside Dial: want only one of them"},
		{"dial and sources", func(c *Config) { c.Dial, c.Sources = dial, []netip.Addr{four} }, "field Sources is set beside Dial: want only one of them"},
	})
}

func TestValidateClients(t *testing.T) {
	t.Parallel()
	checkConfigs(t, []configCase{
		{"waves", func(c *Config) { c.Clients, c.Waves = 0, scenario.Arrivals{{Clients: 2, At: time.Second}} }, ""},
		{"clock error", func(c *Config) { c.ClockError = -1 }, "field ClockError is -1ns: want zero for unknown, or more"},
		{"no clients", func(c *Config) { c.Clients = 0 }, "field Clients is 0: want at least 1"},
		{"negative clients", func(c *Config) { c.Clients = -1 }, "field Clients is -1: want at least 1"},
		{"negative gap", func(c *Config) { c.Gap = -time.Second }, "field Gap is -1s: want zero for a burst, or more"},
		{"clients and waves", func(c *Config) { c.Waves = scenario.Arrivals{{Clients: 1}} }, "field Clients is 1 beside Waves: want only one of them"},
		{"gap and waves", func(c *Config) { *c = Config{Target: c.Target, Gap: 1, Waves: scenario.Arrivals{{Clients: 1}}} }, "field Gap is 1ns beside Waves: want the gap inside the waves"},
		{"empty waves", func(c *Config) { c.Clients, c.Waves = 0, scenario.Arrivals{} }, "field Waves is empty: want at least one wave, or nil and Clients"},
		{"bad wave", func(c *Config) { c.Clients, c.Waves = 0, scenario.Arrivals{{Clients: 1}, {Clients: 1, At: -1}} }, "field Waves: wave 1: at is -1ns, want zero or more"},
		{"negative requests", func(c *Config) { c.Requests = -1 }, "field Requests is -1: want zero for one request, or more"},
		{"negative timeout", func(c *Config) { c.Timeout = -time.Second }, "field Timeout is -1s: want zero for 30s, or more"},
		{"negative think", func(c *Config) { c.Think = -1 }, "field Think is -1ns: want zero for none, or more"},
		{"last shard", func(c *Config) { c.Clients, c.Shard, c.Shards, c.Start = 3, 2, 3, time.Now() }, ""},
		{"negative shards", func(c *Config) { c.Shards = -1 }, "field Shards is -1: want zero for one, or more"},
		{"shard too large", func(c *Config) { c.Clients, c.Shard, c.Shards, c.Start = 3, 3, 3, time.Now() }, "field Shard is 3 of 3: want 0 to 2"},
		{"shard without shards", func(c *Config) { c.Shard = 1 }, "field Shard is 1 of 1: want 0 to 0"},
		{"shards without start", func(c *Config) { c.Clients, c.Shards = 3, 3 }, "field Start is missing with 3 shards: want the same instant in each"},
		{"shards without clients", func(c *Config) { c.Clients, c.Shards, c.Start = 3, 4, time.Now() }, "field Shards is 4 with 3 clients: want no more shards than clients"},
	})
}

func TestRunRefusesBadConfig(t *testing.T) {
	t.Parallel()
	_, err := Run(t.Context(), Config{Target: "http://198.18.0.2/"})
	const want = "prepare swarm: field Clients is 0: want at least 1"
	if err == nil || err.Error() != want {
		t.Errorf("Run() = %v, want %q", err, want)
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	four, six := netip.MustParseAddr("198.18.0.1"), netip.MustParseAddr("2001:db8::1")
	mapped := netip.MustParseAddr("::ffff:198.18.0.1")
	for _, test := range []struct {
		name           string
		found, sources []netip.Addr
		want           netip.Addr // zero: an error
	}{
		{"only one", []netip.Addr{six}, nil, six},
		{"IPv4 preferred", []netip.Addr{six, mapped}, nil, four},
		{"family of the sources", []netip.Addr{four, six}, []netip.Addr{six}, six},
		{"not of that family", []netip.Addr{four}, []netip.Addr{six}, netip.Addr{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := pickAddress(test.found, test.sources)
			if got != test.want || (err != nil) == test.want.IsValid() {
				t.Errorf("pickAddress(%v, %v) = %v, %v, want %v", test.found, test.sources, got, err, test.want)
			}
		})
	}
}

func TestResolvedAddress(t *testing.T) {
	t.Parallel()
	dial := func(context.Context, string, string) (net.Conn, error) { return nil, syscall.ECONNREFUSED }
	for _, test := range []struct {
		cfg  Config
		want string
	}{
		{Config{Target: "http://198.18.0.2"}, "198.18.0.2:80"},
		{Config{Target: "http://[2001:db8::2]:8080/"}, "[2001:db8::2]:8080"},
		{Config{Target: "http://front.example:81/", Dial: dial}, "front.example:81"},
	} {
		got, err := test.cfg.resolve(t.Context())
		if err != nil || got != test.want {
			t.Errorf("resolve %s = %q, %v, want %q", test.cfg.Target, got, err, test.want)
		}
	}
	_, err := Config{Target: "http://198.18.0.2/", Sources: []netip.Addr{netip.MustParseAddr("::1")}}.resolve(t.Context())
	if err == nil || !strings.HasSuffix(err.Error(), "it has no IPv6 address, which Sources need") {
		t.Errorf("resolve an IPv4 target from an IPv6 source = %v", err)
	}
}
