package netlab

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
)

// The files are a host's /proc/net/netstat and /proc/net/snmp of Linux 6.18, one after
// the other.
func TestParseCounters(t *testing.T) {
	var both []io.Reader
	for _, name := range []string{"testdata/netstat-6.18", "testdata/snmp-6.18"} {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		both = append(both, file)
	}
	counters, err := ParseCounters(io.MultiReader(both...))
	if err != nil {
		t.Error(err)
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
		{strings.Repeat("A:\nA:\n", 200_000), "more than 1048576 bytes are not the counters of a host"},
		{"Tcp: InSegs\nTcp: many\n", `counter InSegs: strconv.ParseUint: parsing "many": invalid syntax`},
	} {
		if _, err := ParseCounters(strings.NewReader(c.text)); err == nil || err.Error() != c.want {
			t.Errorf("ParseCounters(%.40q) = %v, want %s", c.text, err, c.want)
		}
	}
}

func TestParseCountersEmptyAndBroken(t *testing.T) {
	if counters, err := ParseCounters(strings.NewReader("")); len(counters) != 0 || err != nil {
		t.Errorf("ParseCounters(\"\") = %v, %v, want none", counters, err)
	}
	broken := errors.New("broken")
	if counters, err := ParseCounters(iotest.ErrReader(broken)); counters != nil || !errors.Is(err, broken) {
		t.Errorf("ParseCounters(a broken reader) = %v, %v, want the error", counters, err)
	}
}

func FuzzParseCounters(f *testing.F) {
	f.Add("TcpExt: A B\nTcpExt: 1 2\n")
	f.Add("Tcp: MaxConn\nTcp: -1\n")
	f.Fuzz(func(t *testing.T, text string) {
		counters, err := ParseCounters(strings.NewReader(text))
		if err == nil && len(counters) > len(text) || err != nil && counters != nil {
			t.Errorf("%d counters from %d bytes, and error %v", len(counters), len(text), err)
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
