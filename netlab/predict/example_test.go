package predict_test

import (
	"fmt"
	"time"

	"github.com/rstlab/rstlab/netlab/predict"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// slowServer accepts one connection in 20 ms, and 400 clients come a millisecond apart.
func slowServer() scenario.Scenario {
	s := scenario.Defaults()
	s.Arrivals = scenario.Arrivals{{Clients: 400, Gap: time.Millisecond}}
	s.RTT, s.Backlog, s.AbortOnOverflow = 100*time.Millisecond, 64, true
	s.Accept = scenario.Accept{Mode: scenario.AcceptEvery, Every: 20 * time.Millisecond}
	return s
}

func ExampleRun() {
	outcome, err := predict.Run(slowServer(), scenario.Modern)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(outcome.Fates)
	fmt.Println(outcome.Server.Only("ListenOverflows", "EmbryonicRsts"))
	fmt.Println("client 399 is", outcome.ByClient[399], "and nobody is lost:", predict.Lossless(outcome))
	// Output:
	// served 85, ghost 34, syn_dropped 220, reset 61
	// EmbryonicRsts 61, ListenOverflows 315
	// client 399 is syn_dropped and nobody is lost: false
}

func ExampleAdvise() {
	advice, err := predict.Advise(slowServer(), scenario.Modern)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(advice)
	fmt.Println("with a backlog of", advice.Backlog.At.Scenario.Backlog, "all are", advice.Backlog.At.Outcome.Fates)
	// Output:
	// smallest backlog: 379 (with 378: served 399, reset 1)
	// smallest gap: 16.742ms (with 16.741ms: served 399, syn_dropped 1)
	// largest burst: 66 (with 67: served 66, ghost 1)
	// with a backlog of 379 all are served 400
}

// Three clients come at once to a queue of limit 1, which holds two, and nobody accepts.
func ExampleExplain() {
	s := scenario.Defaults()
	s.Arrivals = scenario.Arrivals{{Clients: 1}, {Clients: 2, At: 50 * time.Millisecond}}
	s.RTT, s.Backlog, s.AbortOnOverflow = 20*time.Millisecond, 1, true
	s.Accept.Mode = scenario.AcceptNever
	decisions, err := predict.Explain(s, scenario.Modern)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, d := range decisions {
		fmt.Println(d)
	}
	// Output:
	// 10ms client 0 SYN: SYN 4: answered, into the SYN queue (tcp_conn_request); accept queue 0, SYN queue 1
	// 30ms client 0 ACK: segment of a half-open connection: into the accept queue (inet_csk_complete_hashdance); accept queue 1, SYN queue 0
	// 60ms client 1 SYN: SYN 4: answered, into the SYN queue (tcp_conn_request); accept queue 1, SYN queue 1
	// 60ms client 2 SYN: SYN 4: answered, into the SYN queue (tcp_conn_request); accept queue 1, SYN queue 2
	// 80ms client 1 ACK: segment of a half-open connection: into the accept queue (inet_csk_complete_hashdance); accept queue 2, SYN queue 1
	// 80ms client 2 ACK: segment of a half-open connection: the accept queue is full, RST (tcp_check_req); accept queue 2, SYN queue 0
}
