package netlab

import (
	"os"
	"strings"
	"testing"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// The files are a host's /proc/net/netstat and /proc/net/snmp of Linux 6.18.
func TestParseCounters(t *testing.T) {
	counters := scenario.Counters{}
	for _, name := range []string{"testdata/netstat-6.18", "testdata/snmp-6.18"} {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if err := parseCounters(file, counters); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, want := range map[string]uint64{
		"ListenOverflows": 1, "ListenDrops": 1, "PassiveOpens": 3, "InSegs": 7, "IpInReceives": 7, "IpExtInOctets": 396,
	} {
		if counters[name] != want {
			t.Errorf("%s is %d, want %d", name, counters[name], want)
		}
	}
	for name := range notCounters {
		if value, ok := counters[name]; ok {
			t.Errorf("%s is no counter, but was read as %d", name, value)
		}
	}
}

func TestParseCountersErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"Tcp: InSegs\n", `line of names "Tcp: InSegs" without a line of values`},
		{"Tcp: InSegs\nTcp: 1 2\n", `2 names above 3 values do not belong together: "Tcp: 1 2"`},
		{"Tcp: InSegs\nUdp: 1\n", `2 names above 2 values do not belong together: "Udp: 1"`},
		{"Tcp: InSegs\nTcp: many\n", `counter InSegs: strconv.ParseUint: parsing "many": invalid syntax`},
	} {
		if err := parseCounters(strings.NewReader(c.text), scenario.Counters{}); err == nil || err.Error() != c.want {
			t.Errorf("parseCounters(%q) = %v, want %s", c.text, err, c.want)
		}
	}
}

func FuzzParseCounters(f *testing.F) {
	f.Add("TcpExt: A B\nTcpExt: 1 2\n")
	f.Add("Tcp: MaxConn\nTcp: -1\n")
	f.Fuzz(func(t *testing.T, text string) {
		counters := scenario.Counters{}
		if err := parseCounters(strings.NewReader(text), counters); err == nil && len(counters) > len(text) {
			t.Errorf("%d counters from %d bytes", len(counters), len(text))
		}
	})
}

// A reading shows what moved and nothing else.
func TestCountersSince(t *testing.T) {
	t.Parallel()
	client, server := New(t).Pair()
	listen(t, server, ":8080", 8)
	before := server.Counters()
	for range 3 {
		dial(t, client, server.Addr()+":8080")
	}
	moved := server.Counters().Since(before)
	if got := moved.Only("PassiveOpens", "ActiveOpens", "ListenDrops", "OutRsts").String(); got != "PassiveOpens 3" {
		t.Errorf("moved: %s, want PassiveOpens 3", got)
	}
	before = server.Counters()
	if moved := server.Counters().Since(before); len(moved) != 0 {
		t.Errorf("moved between two readings at rest: %v, want nothing", moved)
	}
}

func BenchmarkCounters(b *testing.B) {
	_, server := New(b).Pair()
	for b.Loop() {
		if len(server.Counters()) == 0 {
			b.Fatal("no counters")
		}
	}
}
