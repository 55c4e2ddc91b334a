// Package wire joins two hosts by a wire made of Go code, in virtual time: what the
// real kernel at one end sends is read from a TUN device, kept for the latency of the
// wire, and written to the TUN device at the other end.
//
//	client ──tun── wire ──tun── server
//
// A write to a TUN device is processed before it returns, so once both devices have
// nothing to read any more, nothing is going to happen until the clock moves. The
// wire moves it to the next event: a packet's arrival or what the caller scheduled.
// Forty seconds of paced clients take less than a tenth of a second, and the same
// scenario comes out the same to the last count, on a busy machine too.
//
// The kernel's own timers stay real. A run must end within the second after which
// TCP repeats a SYN; [Wire.Play] keeps longer timers away and counts those that fire.
//
// [Wire.Live] runs the same wire in real time, and [Wire.GoLive] beside a test: a link with
// latency, loss and holds where the kernel has no netem.
package wire
