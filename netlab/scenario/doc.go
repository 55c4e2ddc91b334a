// Package scenario is the vocabulary that every room of rstlab shares: what
// becomes of a client, when clients arrive, what the kernel counted.
//
// A [Scenario] says who connects when, to which listener, with which settings:
//
//	s := scenario.Defaults()
//	s.Arrivals = scenario.Arrivals{{Clients: 400, Gap: time.Millisecond}}
//	s.RTT, s.Backlog = 100*time.Millisecond, 64
//	s.Accept = scenario.Accept{Mode: scenario.AcceptEvery, Every: 20 * time.Millisecond}
//
// An [Outcome] is what it comes to: exactly one [Fate] a client, and what each counter
// moved by at both ends. netlab/predict computes it and netlab/wire plays it on the
// kernel, so two outcomes can be compared by [Differences]. [Evidence] is what was seen
// of a run: packets, counters, accept queues, what clients were told.
//
// Two queues decide. The SYN queue has the half-open handshakes, the accept queue the
// finished ones that the program has not accepted yet. The limit of both is the smaller
// of the backlog, which is the argument of listen(2), and net.core.somaxconn.
//
// It is pure: plain values, no socket, no file, no clock, and it imports
// nothing of rstlab.
package scenario
