package predict

import "github.com/rstlab/rstlab/netlab/scenario"

// client is one client at both ends.
type client struct {
	here     clientEnd
	there    serverEnd
	synsSent uint8 // after the first one
	fired    uint8 // how often the SYN-ACK timer of its request has
	resent   uint8 // how often its first byte was sent again
	acked    bool  // the server's kernel has its first byte
}

// clientEnd is the socket at the client.
type clientEnd uint8

const (
	unborn clientEnd = iota
	synSent
	established
	wasReset
	wasRefused
	gaveUp // no SYN was answered
)

// serverEnd is what the server's kernel has of a client.
type serverEnd uint8

const (
	nothing  serverEnd = iota
	request            // in the SYN queue
	cookie             // nothing, but the SYN-ACK had a cookie
	queued             // in the accept queue
	accepted           // by the program
)

// clientCounters are what the clients' kernel counts.
type clientCounters struct {
	activeOpens, estabResets, attemptFails, outRsts uint64
	timeouts, retransSegs, synRetrans               uint64
	synChallenge, challengeACK                      uint64
}

func (r *run) connect(n uint32) {
	r.count.activeOpens++
	r.clients[n].here = synSent
	r.carry(r.toServer, synArrives, n)
	r.armSYN(n)
}

// synAckAtClient is the client's kernel: tcp_rcv_synsent_state_process
// (net/ipv4/tcp_input.c), and tcp_validate_incoming for a SYN-ACK that comes again.
func (r *run) synAckAtClient(n uint32) {
	switch r.clients[n].here {
	case synSent:
		r.clients[n].here = established
		r.carry(r.toServer, segmentArrives, n)
		switch {
		case r.Write == nil:
		case *r.Write == 0:
			r.writeByte(n)
		default:
			r.after(r.write, writes, n)
		}
	case established:
		r.count.synChallenge++
		r.count.challengeACK++
		r.carry(r.toServer, segmentArrives, n)
	default: // the socket is gone
		r.count.outRsts++
	}
}

func (r *run) writeByte(n uint32) {
	if r.clients[n].here != established {
		return
	}
	r.carry(r.toServer, dataArrives, n)
	r.armData(n)
}

// rstAtClient is tcp_reset (net/ipv4/tcp_input.c) at the client.
func (r *run) rstAtClient(n uint32) {
	switch c := &r.clients[n]; c.here {
	case synSent:
		r.count.attemptFails++
		c.here = wasRefused
	case established:
		r.count.estabResets++
		c.here = wasReset
	}
}

// fate is what became of the client, as somebody sees who looks at both ends.
func (c client) fate() scenario.Fate {
	switch c.here {
	case synSent, gaveUp:
		return scenario.SYNDropped
	case wasReset:
		return scenario.Reset
	case wasRefused:
		return scenario.Refused
	case established:
		return fateOf[c.there]
	}
	return scenario.Undecided
}

// fateOf is the fate of a client that is established at its own end.
var fateOf = [...]scenario.Fate{
	nothing: scenario.Ghost, cookie: scenario.Ghost, request: scenario.Kept, queued: scenario.Queued, accepted: scenario.Served,
}

func (c clientCounters) counters() scenario.Counters {
	return scenario.Counters{
		"ActiveOpens": c.activeOpens, "EstabResets": c.estabResets, "AttemptFails": c.attemptFails, "OutRsts": c.outRsts,
		"TCPTimeouts": c.timeouts, "RetransSegs": c.retransSegs, "TCPSynRetrans": c.synRetrans,
		"TCPSYNChallenge": c.synChallenge, "TCPChallengeACK": c.challengeACK,
	}.Since(nil)
}
