package main

import (
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// What makes no sense and what is beyond the limits is refused in one sentence, before
// the server gets a packet.
func TestRefused(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	address := ln.Addr().String()
	url := "http://" + address
	const yours = ": if the server is yours and can bear it, type "
	for _, test := range []struct {
		args string // with | between them
		want string
	}{
		{"", "there is no target: want a URL behind the flags, such as http://198.18.0.2:8080/ (-h tells more)"},
		{url + "|-clients|5", `"-clients" is one argument too many: want one URL, and flags before it`},
		{"-every|1s|" + url, "flag provided but not defined: -every"},
		{"-clients|many|" + url, `invalid value "many" for flag -clients: strconv.Atoi: parsing "many": invalid syntax`},
		{"-arrivals|[{}]|" + url, `invalid value "[{}]" for flag -arrivals: wave 0: clients is 0, want at least 1`},
		{`-expect|\q|` + url, `invalid value "\\q" for flag -expect: "\\q" is no text in which a backslash begins an escape such as \n, \x00 or \\`},
		{"-start|noon|" + url, `invalid value "noon" for flag -start: parsing time "noon" as "2006-01-02T15:04:05Z07:00": cannot parse "noon" as "2006"`},

		{"-clients|0|" + url, "-clients is 0: want at least 1"},
		{"-gap|-1s|" + url, "-gap is -1s: want zero for a burst, or more"},
		{"-engine|wrk|" + url, `engine "wrk": want http or epoll`},
		{"-engine|epoll|-expect|+|tcp://" + address, `the target is "tcp://` + address + `" with the engine Epoll: want an http Target, or the engine HTTP`},
		{"tcp://" + address, `-expect is empty beside a tcp Target: want the beginning of the answer, such as "+PONG"`},
		{"https://" + address, `the target is "https://` + address + `": want http, since TLS is not spoken`},
		{`-arrivals|[{"clients":1}]|-gap|1s|` + url, "-arrivals says all about the clients: want it without -clients, -gap, -ramp and -poisson"},
		{"-ramp|1s|-poisson|1|" + url, "-ramp and -poisson exclude each other"},
		{"-ramp|-1s|" + url, "-ramp is -1s: want zero or more"},
		{"-poisson|1|" + url, "-poisson needs a -gap, which is the gap on average: want one such as 20ms"},
		{"-json|-|-csv|-|" + url, "-json and -csv both go to standard output: want a file for one of them"},

		{"-shard|3/3|" + url, `invalid value "3/3" for flag -shard: want a shard from zero and their number, such as 0/3, 1/3 and 2/3`},
		{"-shard|1|" + url, `invalid value "1" for flag -shard: want a shard from zero and their number, such as 0/3, 1/3 and 2/3`},
		{"-shard|1/3|" + url, "-shard 1/3 needs a start that all have in common: want -meet HOST:PORT, or -start TIME, the same in each"},
		{"-shard|1/3|-meet|:7400|" + url, `-meet is ":7400": want the host of shard 0 and a port, such as swarm-0.swarm:7400`},
		{"-shard|1/3|-meet|h:1|-start|2226-11-24T10:00:00Z|" + url, "-meet and -start exclude each other: the shards agree on the start when they meet"},
		{"-start|2016-11-24T10:00:00Z|" + url, "-start is 2016-11-24T10:00:00Z, which is over: want a time to come"},
		{"-meet|h:1|" + url, "-meet is for the parts of one run: want -shard too, such as -shard 0/3 in the first of three"},
		{"-shard|1/3|-meet|h:1|-patience|0s|" + url, "-patience is 0s: want more than zero"},
		{"-shard|1/3|-meet|h:1|-clients|2|" + url, "the number of shards in -shard is 3 with 2 clients: want no more shards than clients"},

		{"-clients|1001|" + url, "the plan has 1001 clients (-max-clients is 1000) and 1001 connections within a second (-max-rate is 1000)" + yours +
			"-max-clients 1001 -max-rate 1001"},
		{"-clients|400|-max-rate|399|" + url, "the plan has 400 connections within a second (-max-rate is 399)" + yours + "-max-rate 400"},
		{"-clients|3|-gap|20s|" + url, "the plan has 1m10s until the last client's time is over (-max-time is 1m0s)" + yours + "-max-time 1m10s"},
		{"-clients|10000001|-max-clients|20000000|" + url, "the plan has 10000001 clients: want at most 10000000"},

		{"-json|/nowhere/x|" + url, "make room for the result: open /nowhere/x: no such file or directory"},
	} {
		want := statusUsage
		if strings.HasPrefix(test.want, "make room") {
			want = statusBad
		}
		status, stdout, stderr := swarm(strings.FieldsFunc(test.args, func(r rune) bool { return r == '|' })...)
		if status != want || stdout != "" || stderr != "swarm: "+test.want+"\n" {
			t.Errorf("%s: status %d, output %s\n got %swant swarm: %s", test.args, status, stdout, stderr, test.want)
		}
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	first, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if first.RemoteAddr().String() != conn.LocalAddr().String() {
		t.Errorf("the first to connect to the server was %v, and nobody should before this test's %v", first.RemoteAddr(), conn.LocalAddr())
	}
}

func TestPlan(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for _, test := range []struct {
		args  []string
		waves scenario.Arrivals
		words string
		size  size
	}{
		{nil, scenario.Arrivals{{Clients: 100}}, "100 clients of http://h/, at once, 30s for each, engine epoll", size{100, 100, 30 * time.Second}},
		{[]string{"-clients", "1000", "-timeout", "1m"}, scenario.Arrivals{{Clients: 1000}}, // the limits themselves
			"1000 clients of http://h/, at once, 1m0s for each, engine epoll", size{1000, 1000, time.Minute}},
		{[]string{"-clients", "5", "-gap", "400ms", "-timeout", "1s"}, scenario.Arrivals{{Clients: 5, Gap: 400 * ms}},
			"5 clients of http://h/, 400ms apart, 1s for each, engine epoll", size{5, 3, 2600 * ms}},
		{[]string{"-clients", "9", "-gap", "20ms", "-ramp", "1ms"}, scenario.Ramp(9, 20*ms, ms),
			"9 clients of http://h/, first 20ms apart, last 1ms, 30s for each, engine epoll", size{9, 9, 30*time.Second + scenario.Ramp(9, 20*ms, ms).Last()}},
		{[]string{"-clients", "9", "-ramp", "1s"}, scenario.Ramp(9, 0, time.Second),
			"9 clients of http://h/, first 0s apart, last 1s, 30s for each, engine epoll", size{9, 5, 30*time.Second + scenario.Ramp(9, 0, time.Second).Last()}},
		{[]string{"-clients", "7", "-gap", "20ms", "-poisson", "7"}, scenario.Poisson(7, 20*ms, 7),
			"7 clients of http://h/, 20ms apart on average, Poisson of seed 7, 30s for each, engine epoll",
			size{7, 7, 30*time.Second + scenario.Poisson(7, 20*ms, 7).Last()}},
		{[]string{"-arrivals", `[{"clients":3,"at":"500ms"},{"clients":4,"gap":"250ms"}]`, "-timeout", "1s", "-requests", "2"},
			scenario.Arrivals{{Clients: 3, At: 500 * ms}, {Clients: 4, Gap: 250 * ms}},
			"7 clients of http://h/, in 2 waves, 2 requests each, 1s for each, engine epoll", size{7, 7, 1750 * ms}},
	} {
		o, err := parse(append(test.args, "http://h/"), nil)
		if err != nil {
			t.Fatal(err)
		}
		p, err := o.plan()
		if err != nil || !reflect.DeepEqual(p.Waves, test.waves) || p.words() != test.words || p.size != test.size {
			t.Errorf("%q: %v, %v, %+v, %v\nwant %v, %s, %+v", test.args, p.Waves, p.words(), p.size, err, test.waves, test.words, test.size)
		}
	}
}

func TestSizeOf(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for _, test := range []struct {
		name  string
		waves scenario.Arrivals
		rate  int
	}{
		{"burst", scenario.Arrivals{{Clients: 400}}, 400},
		{"one a second", scenario.Arrivals{{Clients: 400, Gap: s}}, 1},
		{"a little faster", scenario.Arrivals{{Clients: 400, Gap: s - 1}}, 2},
		{"bursts a second apart", scenario.Arrivals{{Clients: 400}, {Clients: 300, At: s}}, 400},
		{"bursts nearer than that", scenario.Arrivals{{Clients: 300, At: s - 1}, {Clients: 400}}, 700},
		{"a burst into a pace", scenario.Arrivals{{Clients: 400, Gap: s / 10}, {Clients: 5, At: 20 * s}}, 15},
	} {
		if got := sizeOf(test.waves, s).rate; got != test.rate {
			t.Errorf("%s: %d within a second, want %d", test.name, got, test.rate)
		}
	}
	if got := sizeOf(scenario.Arrivals{{Clients: 1, At: s}}, 1<<63-1).time; got != 1<<63-1 {
		t.Errorf("a time beyond counting is %v, want the longest", got)
	}
}
