// Package witness records what the kernel shows of a run while it happens: the packets
// at each host's interface, its counters, the accept queues of its listeners and, as
// real root, the kernel's own reasons. All of it is kept in memory and handed over as
// scenario.Evidence.
//
//	client, server := netlab.New(t).Pair()
//	rec := witness.Record(t, witness.Config{}, client, server)
//	... the run ...
//	evidence := rec.Stop() // before any clean-up, which sends RSTs of its own
//
// # The window
//
// Everything is being recorded when Record returns, and a packet that was sent before
// Stop is called is in the evidence, at both ends. While no packet is under way at
// either moment, the packets and the counters of a host therefore agree to the last
// one. All times count from Start.
//
// # Packets
//
// They are what an AF_PACKET socket sees: a packet that the host sends as it is handed
// to the interface, one that it receives as it comes from there, before any firewall
// rule. Inside a machine nobody computes the checksum of a TCP segment, since no cable
// can damage it (CHECKSUM_PARTIAL): it holds the sum of the pseudo header alone, and is
// no evidence. Wireshark does not verify it unless told to. For the same reason a
// segment may be longer than the interface's MTU.
//
// # Counters
//
// The first and the last sample have all counters, those between only the ones that
// Watched names, and only when one of these has moved: compare others by the first and
// the last sample alone.
//
// # Queues
//
// A listener has a sample at the start, at the end and whenever a reading differs from
// the one before. Its accept queue is in each of them. To look at the SYN queues the
// kernel goes through its whole table of connections: that is done at most as often as
// keeps it below 2 % of one processor for each host, and a sample without a look has a
// SYN queue of -1.
package witness
