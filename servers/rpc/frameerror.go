package rpc

import (
	"errors"
	"fmt"
)

// OversizedError is a frame longer than its reader or writer allows. Both
// numbers are bytes without the length prefix.
type OversizedError struct {
	Size, Limit int
}

func (e *OversizedError) Error() string {
	return fmt.Sprintf("oversized frame: %d bytes, limit %d", e.Size, e.Limit)
}

// TruncatedError is a frame whose sender stopped in the middle. Both numbers
// are bytes and include the length prefix; Want is its length, 4, when the input
// ended within it.
type TruncatedError struct {
	Got, Want int
}

func (e *TruncatedError) Error() string {
	return fmt.Sprintf("truncated frame: got %d of %d bytes", e.Got, e.Want)
}

// MalformedError is a complete frame that makes no sense. What says why.
type MalformedError struct {
	What string
}

func (e *MalformedError) Error() string { return "malformed frame: " + e.What }

// isFrameError tells whether err is about what a frame looks like.
func isFrameError(err error) bool {
	_, oversized := errors.AsType[*OversizedError](err)
	_, truncated := errors.AsType[*TruncatedError](err)
	_, malformed := errors.AsType[*MalformedError](err)
	return oversized || truncated || malformed
}
