// Package meeting lets the shards of one run, each a process on any machine, agree on
// their start: a barrier over TCP.
//
// Shard 0 listens, and the others look for it until it is there, as pods come up in any
// order. Each says which shard it is, and of which plan; one of another plan is refused.
// Each measures its wall clock against that of shard 0. When all are there, shard 0 names
// the start. What they say is one JSON object a line:
//
//	guest  {"shard":1,"shards":3,"plan":"6c3f..."}
//	host   {"wait_ns":300000000000}                     or {"refused":"..."}
//	guest  {}                                           what is the time? some times over
//	host   {"received_ns":1790000000000000000,"answered_ns":1790000000000012000}
//	guest  {"ready":true,"error_ns":80000}
//	host   {"start_ns":1790000003000000000,"error_ns":80000}  when all are there, or {"refused":"..."}
//
// Whoever can reach the port can say such lines: what a stranger says is refused, and
// bounded in length, number and time.
package meeting

import (
	"context"
	"fmt"
	"net"
	"time"
)

// Seat is one shard's place in a meeting.
type Seat struct {
	Address       string        // HOST:PORT of shard 0, which listens on the port, at all its addresses
	Shard, Shards int           // which one this is, from zero, and how many come; at least 2
	Plan          string        // what must be the same in all; a line or less
	Patience      time.Duration // how long shard 0 waits for the others, and they look for it
	Lead          time.Duration // from when all are there to the start; that of shard 0 counts

	// Say gets a sentence about who came, was refused or left. It is called by several
	// goroutines, one at a time. Needed.
	Say func(sentence string)
}

// Agreement is what a meeting comes to.
type Agreement struct {
	Start time.Time     // by the wall clock of shard 0
	Ahead time.Duration // by how much this machine's wall clock is ahead of that one; negative: behind
	Error time.Duration // how far that may be wrong: the largest of all shards
}

// Meet returns when all shards are there and the start is set. The error is a sentence
// that says who is missing, or why this shard was refused; once ctx is done it wraps its
// cause. The other shards are told too.
func Meet(ctx context.Context, s Seat) (Agreement, error) {
	if s.Shard > 0 {
		return s.visit(ctx)
	}
	_, port, err := net.SplitHostPort(s.Address)
	if err != nil {
		return Agreement{}, err
	}
	ln, err := net.Listen("tcp", ":"+port)
	if err != nil {
		return Agreement{}, fmt.Errorf("listen for the other shards: %w", err)
	}
	return s.convene(ctx, ln, time.After(s.Patience))
}

// The messages.
type (
	hello struct {
		Shard  int    `json:"shard"`
		Shards int    `json:"shards"`
		Plan   string `json:"plan"`
	}
	welcome struct {
		Refused string        `json:"refused,omitzero"`
		Wait    time.Duration `json:"wait_ns,omitzero"` // shard 0 gives up after so long
	}
	question struct {
		Ready bool          `json:"ready,omitzero"` // else: what is the time?
		Error time.Duration `json:"error_ns,omitzero"`
	}
	reply struct {
		Received int64 `json:"received_ns"` // Unix time in nanoseconds
		Answered int64 `json:"answered_ns"`
	}
	verdict struct {
		Refused string        `json:"refused,omitzero"`
		Start   int64         `json:"start_ns,omitzero"` // Unix time in nanoseconds
		Error   time.Duration `json:"error_ns,omitzero"`
	}
)

// Bounds of what one side takes from the other.
const (
	mostSaid  = 64 << 10         // bytes
	quickTime = 10 * time.Second // for what needs no third one
)
