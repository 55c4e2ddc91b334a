// Package predict computes what a kernel will do with a scenario: the fate of every
// client and what every counter moves by, before a single packet is sent.
//
//	outcome, err := predict.Run(s, scenario.Modern)
//
// It is arithmetic: no socket, no clock, no privilege. The rules of the server's
// kernel stand in kernel.go, one rule in one place and in the kernel's order; the
// client's kernel and the network are in run.go, the timers in timers.go.
// netlab/wire plays the same scenarios on the real kernel, and the suite holds one
// against the other to the last count.
//
// [Advise] turns the prediction around: which backlog, which gap, which burst loses
// nobody?
package predict
