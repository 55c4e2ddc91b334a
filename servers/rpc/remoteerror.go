package rpc

import (
	"context"
	"errors"
	"fmt"
)

// Code is the class of a RemoteError. The zero Code is invalid.
type Code uint8

// The codes.
const (
	BadRequest  Code = 1 + iota // the handler does not know the method or the argument
	BadFrame                    // the server could not read what the client sent
	Deadline                    // the request's deadline passed in the handler
	Canceled                    // the request was given up, its connection is going down
	Internal                    // the handler failed
	Unavailable                 // the server is shutting down and did not begin the request
)

func (c Code) String() string {
	switch c {
	case BadRequest:
		return "bad request"
	case BadFrame:
		return "bad frame"
	case Deadline:
		return "deadline exceeded"
	case Canceled:
		return "canceled"
	case Internal:
		return "internal"
	case Unavailable:
		return "unavailable"
	}
	return fmt.Sprintf("code %d", uint8(c))
}

// RemoteError is what the server answered in place of a payload. One whose Code
// is Deadline matches context.DeadlineExceeded.
type RemoteError struct {
	Code    Code
	Message string
}

func (e *RemoteError) Error() string { return e.Code.String() + ": " + e.Message }

// Is serves errors.Is.
func (e *RemoteError) Is(target error) bool {
	return e.Code == Deadline && target == context.DeadlineExceeded
}

// remote is err as the client shall see it.
func remote(err error) *RemoteError {
	if e, ok := errors.AsType[*RemoteError](err); ok {
		return e
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return &RemoteError{Deadline, err.Error()}
	case errors.Is(err, context.Canceled):
		return &RemoteError{Canceled, err.Error()}
	}
	return &RemoteError{Internal, err.Error()}
}

// maxMessage bounds the text of an answered error, in bytes.
const maxMessage = 1024

// frame is e as an answer to the request with that id; 0 means the connection.
func (e *RemoteError) frame(id uint64) Frame {
	text := e.Message[:min(len(e.Message), maxMessage)]
	return Frame{ID: id, Kind: Failure, Code: e.Code, Payload: []byte(text)}
}

// remoteError is the reverse of RemoteError.frame.
func (f Frame) remoteError() *RemoteError {
	return &RemoteError{Code: f.Code, Message: string(f.Payload)}
}
