package scenario_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// A scenario is written down in JSON. What is left out has the value of Defaults.
func ExampleRead() {
	s, err := scenario.Read(strings.NewReader(`{"arrivals":[{"clients":400,"gap":"1ms"}], "rtt":"100ms",
		"backlog":64, "accept":{"mode":"every","every":"20ms"}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Arrivals.Clients(), "clients, the last one due at", s.Arrivals.Last())
	fmt.Println("limit", s.Limit(s.Backlog), "somaxconn", s.Somaxconn, "SYN cookies", s.SYNCookies)

	_, err = scenario.Read(strings.NewReader(`{"arrivals":[{"clients":400}], "backlog":64, "accept":{"mode":"slowly"}}`))
	fmt.Println(err)
	// Output:
	// 400 clients, the last one due at 399ms
	// limit 64 somaxconn 4096 SYN cookies 1
	// accept.mode is "slowly", want one of never, now, every, from, paused
}

// The limit is the smaller of the backlog and somaxconn, and the kernel takes the
// backlog as unsigned.
func ExampleScenario_Limit() {
	s := scenario.Defaults()
	fmt.Println(s.Limit(64), s.Limit(100_000), s.Limit(-1))
	// Output: 64 4096 4096
}

// Sixty clients come at once, and two more later.
func ExampleArrivals() {
	a := scenario.Arrivals{{Clients: 60}, {Clients: 2, At: 100 * time.Millisecond, Gap: 20 * time.Millisecond}}
	for n, due := range a.Due() {
		if n >= 59 {
			fmt.Println("client", n, "is due at", due)
		}
	}
	// Output:
	// client 59 is due at 0s
	// client 60 is due at 100ms
	// client 61 is due at 120ms
}

// A server that stands still from the first to the second.
func ExampleAccept() {
	a := scenario.Accept{Mode: scenario.AcceptPaused, Paused: []scenario.Window{{From: time.Second, To: 2 * time.Second}}}
	for _, t := range []time.Duration{0, time.Second, 3 * time.Second} {
		at, ever := a.Open(t)
		fmt.Println("who waits at", t, "is accepted at", at, ever)
	}
	// Output:
	// who waits at 0s is accepted at 0s true
	// who waits at 1s is accepted at 2s true
	// who waits at 3s is accepted at 3s true
}

func ExampleCounters_Since() {
	before := scenario.Counters{"ListenOverflows": 7, "ListenDrops": 9}
	after := scenario.Counters{"ListenOverflows": 7, "ListenDrops": 10, "OutRsts": 2}
	fmt.Println(after.Since(before))
	// Output: ListenDrops 1, OutRsts 2
}

func ExampleFates() {
	f := scenario.CountFates([]scenario.Fate{scenario.Served, scenario.Reset, scenario.Served})
	fmt.Println(f, "of", f.Total())
	// Output: served 2, reset 1 of 3
}

// Two answers to the same scenario: the second one lost a client.
func ExampleDifferences() {
	s := scenario.Defaults()
	s.Arrivals = scenario.Arrivals{{Clients: 2}}
	outcome := func(fates ...scenario.Fate) scenario.Outcome {
		return scenario.Outcome{Fates: scenario.CountFates(fates), ByClient: fates}
	}
	a, b := outcome(scenario.Served, scenario.Served), outcome(scenario.Served, scenario.Reset)
	fmt.Print(scenario.DifferenceTable("predict", "virtual", scenario.Differences(s, a, b)))
	// Output:
	// field        predict  virtual
	// fate served  2        1
	// fate reset   0        1
	// client 1     served   reset
}

// The SYN-ACK of a Linux server, as a TUN device or an AF_PACKET socket gives it.
func ExampleReadSegment() {
	packet, err := hex.DecodeString("4500003c000040004006ae94c6120002c61200010401b77cef474af26633d63ba012fe88" +
		"a09f0000020405b40402080ac360d7d101254e2101030307")
	if err != nil {
		fmt.Println(err)
		return
	}
	segment, ok := scenario.ReadSegment(packet)
	fmt.Println(ok, segment.Has(scenario.SYN|scenario.ACK))
	fmt.Println(segment)
	// Output:
	// true true
	// 198.18.0.2:1025 > 198.18.0.1:46972 [S.] seq 4014426866 ack 1714673211 length 0
}

// Readings that tell nothing new are left out, and a listener that is gone is said to
// be so.
func ExampleQueueLog() {
	var l scenario.QueueLog
	l.Note(0, []scenario.QueueSample{{Length: 3, Limit: 16}}, false)
	l.Note(10*time.Millisecond, []scenario.QueueSample{{Length: 3, Limit: 16}}, false)
	l.Note(20*time.Millisecond, nil, false)
	for _, s := range l.Samples {
		fmt.Println(s.At, s.Length, "of", s.Limit, s.Gone)
	}
	// Output:
	// 0s 3 of 16 false
	// 20ms 3 of 16 true
}
