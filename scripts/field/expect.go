package main

import (
	"fmt"
	"time"

	"github.com/rstlab/rstlab/netlab/predict"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// stalledServer is a server with this limit of its accept queue that accepts nobody.
func stalledServer(limit int, abort bool) scenario.Scenario {
	s := scenario.Defaults()
	s.Backlog, s.AbortOnOverflow = limit, abort
	s.Accept.Mode = scenario.AcceptNever
	return s
}

// burst is a stalled server and clients that come at once, from near by, and ask at once.
func burst(limit int, abort bool, clients int) scenario.Scenario {
	s := stalledServer(limit, abort)
	s.Arrivals = scenario.Arrivals{{Clients: clients}}
	s.Write = new(time.Duration(0))
	return s
}

// largestBurst is how many clients a stalled server takes without losing one.
func largestBurst(limit int, c scenario.Calibration) (int, error) {
	advice, err := predict.Advise(burst(limit, false, 1), c)
	if err != nil {
		return 0, err
	}
	if advice.Burst == nil || advice.Burst.Beyond == nil {
		return 0, fmt.Errorf("predict sees no end of the bursts that a limit of %d takes", limit)
	}
	return advice.Burst.At.Scenario.Arrivals.Clients(), nil
}

// farAway is a round-trip time in which all handshakes of a burst are under way at once.
const farAway = 100 * time.Millisecond

// mostRoom is enough to see what happens. A small accept queue has less, so that the SYN
// queue of any kernel holds twice as many, see scenario.Calibration.
const mostRoom = 16

// crossing is a stalled server whose accept queue has some room left when twice as many
// clients come from afar.
//
// Nobody asks here. Where a server defers accept, a bare ACK is dropped before the accept
// queue is looked at, and the first data takes its place: all else is the same.
//
// Source, checked on v6.18: tcp_check_req (net/ipv4/tcp_minisocks.c), for the order.
func crossing(limit int, abort bool) scenario.Scenario {
	room := max(1, min(mostRoom, limit/2))
	s := stalledServer(limit, abort)
	s.Arrivals = scenario.Arrivals{{Clients: limit + 1 - room}, {Clients: 2 * room, At: 5 * farAway}}
	s.RTT = farAway
	return s
}

// predicted is the outcome of a scenario in front of a server that may defer accept: then
// the bare ACK of each handshake is dropped and counted, by the socket too.
func predicted(s scenario.Scenario, c scenario.Calibration, defers bool) (scenario.Outcome, error) {
	o, err := predict.Run(s, c)
	if err == nil && defers {
		bare := uint64(o.Fates.Total() - o.Fates[scenario.SYNDropped])
		o.Server["TCPDeferAcceptDrop"] = bare
		o.Drops += bare
	}
	return o, err
}

// predictShared predicts a burst of one client more than fits that a hash has divided among
// listeners which share the port. Each is a stalled server of its own, and the one more
// came to one whose queue was full. Which client came to which of them is not told.
func predictShared(queues []uint32, limit int, abort bool, c scenario.Calibration, defers bool) (scenario.Scenario, scenario.Outcome, error) {
	all := scenario.Outcome{Fates: scenario.Fates{}, Server: scenario.Counters{}, Client: scenario.Counters{}}
	total, oneMore := 0, 1
	for _, length := range queues {
		clients := int(length)
		if clients == limit+1 {
			clients += oneMore
			oneMore = 0
		}
		if clients == 0 {
			continue
		}
		total += clients
		o, err := predicted(burst(limit, abort, clients), c, defers)
		if err != nil {
			return scenario.Scenario{}, all, err
		}
		all = add(all, o)
	}
	return burst(limit, abort, max(total, 1)), all, nil
}

// add adds up outcomes, but for what became of which client.
func add(a, b scenario.Outcome) scenario.Outcome {
	for fate, n := range b.Fates {
		a.Fates[fate] += n
	}
	for name, n := range b.Server {
		a.Server[name] += n
	}
	for name, n := range b.Client {
		a.Client[name] += n
	}
	a.Drops += b.Drops
	return a
}

// compare lists what is not as predicted, each in one line.
func compare(what string, s scenario.Scenario, want, got scenario.Outcome) []string {
	var all []string
	for _, d := range scenario.Differences(s, want, got) {
		all = append(all, fmt.Sprintf("%s: %s: predicted %s, measured %s", what, d.Field, d.A, d.B))
	}
	return all
}

// compareAnswered adds that all but those who were reset are answered once a server goes
// on, each at most once.
func compareAnswered(what string, fates scenario.Fates, answered int) []string {
	if want := fates.Total() - fates[scenario.Reset]; answered != want {
		return []string{fmt.Sprintf("%s: answered after the stall: predicted %d, measured %d", what, want, answered)}
	}
	return nil
}
