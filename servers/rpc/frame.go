package rpc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// A frame on the wire. Numbers are big-endian.
//
//	bytes   what
//	4       length of all that follows
//	8       id: the caller's number for the request, repeated in its answer
//	1       kind
//	        Request:
//	4         time the caller still has, in milliseconds, rounded up; 0: any
//	1         length m of the method's name
//	m         method
//	rest      payload
//	        Answer:
//	rest      payload
//	        Failure:
//	1         code
//	rest      message, UTF-8
//
// Id 0 belongs to no request: a Failure with it is about the whole connection,
// which ends with it. Each frame has exactly one encoding.
const (
	lengthSize  = 4
	commonSize  = 8 + 1 // id, kind
	requestSize = 4 + 1 // time left, length of the method's name
	maxMethod   = math.MaxUint8
)

// Kind says what a frame is. The zero Kind is invalid.
type Kind uint8

// The kinds. A server answers each request with an answer or a failure of the same
// ID; a failure with ID 0 is about the connection.
const (
	Request Kind = 1 + iota
	Answer
	Failure
)

// Frame is one message. Which fields count depends on Kind.
type Frame struct {
	ID      uint64
	Kind    Kind
	Timeout time.Duration // Request: time left, whole milliseconds on the wire; zero or less: no deadline
	Method  string        // Request: at most 255 bytes
	Code    Code          // Failure
	Payload []byte        // Request, Answer: the data; Failure: the message
}

// ReadFrame reads one frame of at most limit bytes, its length prefix not
// counted. It reads nothing beyond the frame and allocates no more than limit.
// The frame owns its memory.
//
// The error is io.EOF when r ends before the first byte, *TruncatedError when it
// ends later, *OversizedError or *MalformedError when the bytes are at fault,
// and otherwise that of r.
func ReadFrame(r io.Reader, limit int) (Frame, error) {
	var prefix [lengthSize]byte
	if n, err := io.ReadFull(r, prefix[:]); err != nil {
		return Frame{}, truncated(err, n, lengthSize)
	}
	size := int(binary.BigEndian.Uint32(prefix[:]))
	if size > limit {
		return Frame{}, &OversizedError{Size: size, Limit: limit}
	}
	body := make([]byte, size)
	if n, err := io.ReadFull(r, body); err != nil {
		if err == io.EOF { // the prefix was there: not a clean end
			err = io.ErrUnexpectedEOF
		}
		return Frame{}, truncated(err, lengthSize+n, lengthSize+size)
	}
	return decode(body)
}

// WriteFrame writes f in one Write. An *OversizedError or *MalformedError means
// that f cannot be sent and that nothing was written.
func WriteFrame(w io.Writer, f Frame, limit int) error {
	b, err := f.encode(limit)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

// truncated turns the end of the input in mid-frame into a *TruncatedError.
func truncated(err error, got, want int) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return &TruncatedError{Got: got, Want: want}
	}
	return err
}

func decode(body []byte) (Frame, error) {
	if len(body) < commonSize {
		return Frame{}, malformed("length is %d, want at least %d", len(body), commonSize)
	}
	f := Frame{ID: binary.BigEndian.Uint64(body), Kind: Kind(body[8])}
	rest := body[commonSize:]
	switch f.Kind {
	case Request:
		if len(rest) < requestSize {
			return Frame{}, malformed("request ends in its header")
		}
		f.Timeout = time.Duration(binary.BigEndian.Uint32(rest)) * time.Millisecond
		m := int(rest[4])
		rest = rest[requestSize:]
		if m > len(rest) {
			return Frame{}, malformed("method has %d bytes, %d follow", m, len(rest))
		}
		f.Method, rest = string(rest[:m]), rest[m:]
	case Failure:
		if len(rest) == 0 {
			return Frame{}, malformed("failure without a code")
		}
		f.Code, rest = Code(rest[0]), rest[1:]
	}
	f.Payload = rest
	return f, f.check()
}

func (f Frame) encode(limit int) ([]byte, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	b := make([]byte, lengthSize, lengthSize+commonSize+requestSize+len(f.Method)+len(f.Payload))
	b = binary.BigEndian.AppendUint64(b, f.ID)
	b = append(b, byte(f.Kind))
	switch f.Kind {
	case Request:
		b = binary.BigEndian.AppendUint32(b, milliseconds(f.Timeout))
		b = append(b, byte(len(f.Method)))
		b = append(b, f.Method...)
	case Failure:
		b = append(b, byte(f.Code))
	}
	b = append(b, f.Payload...)
	size := len(b) - lengthSize
	if size > limit {
		return nil, &OversizedError{Size: size, Limit: limit}
	}
	binary.BigEndian.PutUint32(b, uint32(size))
	return b, nil
}

// check is what reader and writer demand of every frame.
func (f Frame) check() error {
	switch {
	case f.Kind < Request || f.Kind > Failure:
		return malformed("kind is %d, want %d to %d", f.Kind, Request, Failure)
	case f.ID == 0 && f.Kind != Failure:
		return malformed("id is 0, which only a failure may have")
	case len(f.Method) > maxMethod:
		return malformed("method has %d bytes, want at most %d", len(f.Method), maxMethod)
	}
	return nil
}

// milliseconds rounds up: a deadline that is near must not become none.
func milliseconds(d time.Duration) uint32 {
	ms := (max(d, 0) + time.Millisecond - 1) / time.Millisecond
	return uint32(min(ms, math.MaxUint32))
}

func malformed(format string, args ...any) error {
	return &MalformedError{What: fmt.Sprintf(format, args...)}
}
