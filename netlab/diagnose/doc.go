// Package diagnose names the cause of every reset, time-out and refusal from evidence
// alone: packets, counters, accept queues, what the clients were told. It does not know
// what a test did.
//
//	report := diagnose.Run(evidence)
//
// A [Flow] is one connection attempt, with its [Cause], how sure that is ([Grade]), what
// speaks for it, what was ruled out and why. The causes look alike: a RST that answers
// the last ACK of a handshake may come from a full accept queue, a closed listener, a
// firewall, or somebody in between. What tells them apart is what must have moved, or
// been seen, if a cause had happened: where it did not, the cause has an alibi and is
// ruled out.
//
// The books hold every counter against the flows ([Entry]). What the counters say and
// no flow explains is reported as unexplained, never spread over guesses. What evidence
// cannot separate stays a set of candidates, together with what to capture next.
//
// It is pure: the same evidence always gives the same report.
package diagnose
