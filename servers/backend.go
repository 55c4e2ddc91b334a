package servers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/rstlab/rstlab/servers/rpc"
)

// Bounds of what one request may ask of the backend.
const (
	MaxRounds = 10_000_000 // of compute: some seconds of one core
	MaxSleep  = time.Minute
)

// roundsPerCheck is how many rounds of compute pass between two looks at the
// context: well under a millisecond.
const roundsPerCheck = 1024

// NewBackend returns the server that does all the work. Its methods:
//
//	echo     answers the payload
//	compute  payload: a decimal number of rounds, 1 to MaxRounds; answers, in
//	         hex, 32 zero bytes put through SHA-256 that many times
//	sleep    payload: a Go duration, 0 to MaxSleep; answers nothing, after it
//
// Another method or argument fails with rpc.BadRequest. Compute and sleep end
// early when their caller has given up.
func NewBackend() *rpc.Server { return &rpc.Server{Handler: handle} }

func handle(ctx context.Context, method string, payload []byte) ([]byte, error) {
	switch method {
	case "echo":
		return payload, nil
	case "compute":
		return compute(ctx, string(payload))
	case "sleep":
		return nil, sleep(ctx, string(payload))
	}
	return nil, badRequest("method is %q, want echo, compute or sleep", method)
}

func compute(ctx context.Context, arg string) ([]byte, error) {
	rounds, err := strconv.Atoi(arg)
	if err != nil || rounds < 1 || rounds > MaxRounds {
		return nil, badRequest("compute: rounds is %q, want a whole number from 1 to %d", arg, MaxRounds)
	}
	var sum [sha256.Size]byte
	for i := range rounds {
		if i%roundsPerCheck == 0 && ctx.Err() != nil {
			return nil, fmt.Errorf("compute: round %d of %d: %w", i, rounds, ctx.Err())
		}
		sum = sha256.Sum256(sum[:])
	}
	return hex.AppendEncode(nil, sum[:]), nil
}

func sleep(ctx context.Context, arg string) error {
	d, err := time.ParseDuration(arg)
	if err != nil || d < 0 || d > MaxSleep {
		return badRequest("sleep: duration is %q, want one from 0s to %v, such as 20ms", arg, MaxSleep)
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return fmt.Errorf("sleep: %w", ctx.Err())
	}
}

func badRequest(format string, args ...any) error {
	return &rpc.RemoteError{Code: rpc.BadRequest, Message: fmt.Sprintf(format, args...)}
}
