// Package diagnose names the cause of every reset, time-out and refusal from evidence
// alone: packets, counters, accept queues, what the clients were told. It does not know
// what a test did.
//
//	report := diagnose.Run(evidence)
//
// It is pure. What evidence cannot separate stays a set of candidates, together with
// what to capture next; what the counters say and no flow explains is reported as
// unexplained.
package diagnose
