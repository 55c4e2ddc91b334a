// Package response reads HTTP/1.1 responses to GET requests from a byte stream that
// arrives in pieces of any size, as non-blocking sockets deliver it.
//
// It holds 32 bytes a connection, and more only while a line is cut in two or for the
// first line of a bad response. It is stricter than net/http: what it accepts net/http
// accepts too, and reads the same from it.
package response

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Bounds of a response, in bytes. A response that exceeds one is an error.
const (
	MaxHead = 32 << 10 // status line, header, trailer and all 1xx responses before it
	MaxBody = 64 << 20 // after decoding

	maxChunkLine = 4 << 10
	maxExcerpt   = 200
)

// The errors of a response that is too long.
var (
	ErrHeadTooLong = fmt.Errorf("head is longer than %d bytes", MaxHead)
	ErrBodyTooLong = fmt.Errorf("body is longer than %d bytes", MaxBody)
)

// MalformedError is a response that is not HTTP/1, in a few words.
type MalformedError string

// Error says what is malformed.
func (e MalformedError) Error() string { return "malformed response: " + string(e) }

// Reader reads one response after another. The zero value waits for the first.
//
// Source: RFC 9112, sections 4 to 7 and 9.3.
type Reader struct {
	left   uint64 // bytes of the body, or of the chunk, still to come
	spare  *spare // nil most of the time
	body   uint32 // bytes of the body so far
	head   uint16 // bytes of the head so far
	status uint16
	state  state
	flags  flags
}

// spare is what some responses need and most do not.
type spare struct {
	line    []byte // begun and not ended
	excerpt []byte // of a bad response's body
}

type state uint8

const (
	inStatusLine state = iota
	inHeader
	inStream    // a body that ends with the stream
	inChunkSize // the line with a chunk's length
	inChunk     // its bytes
	afterChunk  // the line's end behind it
	inTrailer   // behind the last chunk
	inBody      // of known length
	complete
)

type flags uint8

const (
	haveLength flags = 1 << iota
	chunked
	http10
	sawClose
	sawKeepAlive
	closes // the server closes after this response
)

// Feed reads on in p and tells how much of p it used: all of it, unless the response
// was complete before. An error is final.
func (r *Reader) Feed(p []byte) (n int, err error) {
	for n < len(p) && r.state != complete {
		used, err := r.step(p[n:])
		n += used
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// End tells the Reader that the stream ended. It is nil where that completes the
// response, io.EOF where none had begun, and else io.ErrUnexpectedEOF.
func (r *Reader) End() error {
	switch {
	case r.state == inStream:
		r.state = complete
		return nil
	case !r.Begun():
		return io.EOF
	}
	return io.ErrUnexpectedEOF
}

// Next prepares for the next response on the same connection.
func (r *Reader) Next() { *r = Reader{} }

// Begun tells whether a byte of the response has come.
func (r *Reader) Begun() bool { return r.head > 0 }

// Done tells whether the response is complete.
func (r *Reader) Done() bool { return r.state == complete }

// Status is the response's status; zero while its status line has not come.
func (r *Reader) Status() int { return int(r.status) }

// Closes tells whether the server closes the connection after this response.
func (r *Reader) Closes() bool { return r.flags&closes != 0 }

// Excerpt is the first line of the body of a response with a status from 400 up, at
// most 200 bytes of it.
func (r *Reader) Excerpt() string {
	if r.spare == nil {
		return ""
	}
	line, _, _ := bytes.Cut(r.spare.excerpt, []byte{'\n'})
	return string(bytes.TrimSpace(bytes.ToValidUTF8(line, []byte("?"))))
}

// step uses at least one byte of p, which is not empty.
func (r *Reader) step(p []byte) (int, error) {
	switch r.state {
	case inBody, inChunk:
		n := int(min(r.left, uint64(len(p))))
		r.left -= uint64(n)
		if r.left == 0 {
			r.state++ // from inChunk to afterChunk, from inBody to complete
		}
		return n, r.take(p[:n])
	case inStream:
		return len(p), r.take(p)
	}
	i := bytes.IndexByte(p, '\n')
	if i < 0 {
		return len(p), r.keep(p)
	}
	if err := r.count(i + 1); err != nil {
		return i + 1, err
	}
	line := p[:i]
	if r.spare != nil && len(r.spare.line) > 0 {
		line = append(r.spare.line, line...)
		r.spare.line = nil
	}
	return i + 1, r.line(line)
}

// take counts bytes of the body and keeps the start of a bad response's.
func (r *Reader) take(p []byte) error {
	if uint64(r.body)+uint64(len(p)) > MaxBody {
		return ErrBodyTooLong
	}
	r.body += uint32(len(p))
	if r.status < 400 {
		return nil
	}
	if r.spare == nil {
		r.spare = &spare{}
	}
	if room := maxExcerpt - len(r.spare.excerpt); room > 0 {
		r.spare.excerpt = append(r.spare.excerpt, p[:min(room, len(p))]...)
	}
	return nil
}

// keep puts the start of a line aside.
func (r *Reader) keep(p []byte) error {
	if err := r.count(len(p)); err != nil {
		return err
	}
	if r.spare == nil {
		r.spare = &spare{}
	}
	r.spare.line = append(r.spare.line, p...)
	return nil
}

var errChunkLine = errors.New("malformed response: a chunk's length is too long a line")

// count bounds what is not body.
func (r *Reader) count(n int) error {
	if r.state == inChunkSize || r.state == afterChunk {
		if r.spare != nil {
			n += len(r.spare.line)
		}
		if n > maxChunkLine {
			return errChunkLine
		}
		return nil
	}
	if int(r.head)+n > MaxHead {
		return ErrHeadTooLong
	}
	r.head += uint16(n)
	return nil
}
