package response

import (
	"bytes"
	"fmt"
	"math"
)

// line reads one line, which has lost its LF but not its CR.
func (r *Reader) line(line []byte) error {
	text, crlf := bytes.CutSuffix(line, []byte{'\r'})
	switch r.state {
	case inStatusLine:
		return r.statusLine(text)
	case inHeader:
		if len(text) == 0 {
			return r.headEnded()
		}
		return r.field(text)
	}
	// net/http wants the CR here, because bare LFs have been used to smuggle requests.
	if !crlf {
		return MalformedError("a line of the chunked body ends without CR")
	}
	switch r.state {
	case inChunkSize:
		return r.chunkSize(text)
	case afterChunk:
		if len(text) > 0 {
			return MalformedError("a chunk is longer than its length")
		}
		r.state = inChunkSize
		return nil
	}
	if len(text) == 0 {
		r.state = complete
		return nil
	}
	_, _, err := split(text)
	return err
}

// statusLine reads "HTTP/1.1 200 OK", of which the reason may be missing.
func (r *Reader) statusLine(text []byte) error {
	rest, ok := bytes.CutPrefix(text, []byte("HTTP/1."))
	if !ok || len(rest) < len("1 200") || !isDigit(rest[0]) || rest[1] != ' ' || len(rest) > 5 && rest[5] != ' ' {
		return MalformedError(fmt.Sprintf("it begins with %.40q", text))
	}
	status, ok := number(rest[2:5])
	if !ok || status < 100 {
		return MalformedError(fmt.Sprintf("it begins with %.40q", text))
	}
	r.status, r.state, r.flags = uint16(status), inHeader, 0
	if rest[0] == '0' {
		r.flags = http10
	}
	return nil
}

// field reads one line of the header.
func (r *Reader) field(text []byte) error {
	name, value, err := split(text)
	if err != nil {
		return err
	}
	switch {
	case equalFold(name, "content-length"):
		length, ok := number(value)
		if !ok || r.flags&haveLength != 0 {
			return MalformedError(fmt.Sprintf("Content-Length is %.40q, want one number", value))
		}
		r.left = length
		r.flags |= haveLength
	case equalFold(name, "transfer-encoding"):
		if !equalFold(value, "chunked") || r.flags&chunked != 0 {
			return MalformedError(fmt.Sprintf("Transfer-Encoding is %.40q, want chunked", value))
		}
		r.flags |= chunked
	case equalFold(name, "connection"):
		for token := range bytes.SplitSeq(value, []byte{','}) {
			token = bytes.Trim(token, " \t")
			if equalFold(token, "close") {
				r.flags |= sawClose
			}
			if equalFold(token, "keep-alive") {
				r.flags |= sawKeepAlive
			}
		}
	}
	return nil
}

// headEnded decides how long the body is.
//
// Source: RFC 9112, section 6.3.
func (r *Reader) headEnded() error {
	if r.status == 101 {
		return MalformedError("it switches to a protocol that nobody asked for")
	}
	if r.status < 200 {
		*r = Reader{head: r.head} // the real one is to come
		return nil
	}
	if r.flags&sawClose != 0 || r.flags&http10 != 0 && r.flags&sawKeepAlive == 0 {
		r.flags |= closes
	}
	switch {
	case r.status == 204, r.status == 304:
		r.state = complete
	case r.flags&chunked != 0 && r.flags&http10 == 0:
		r.state = inChunkSize
	case r.flags&haveLength == 0:
		r.state = inStream
		r.flags |= closes
	case r.left == 0:
		r.state = complete
	case r.left > MaxBody:
		return ErrBodyTooLong
	default:
		r.state = inBody
	}
	return nil
}

// chunkSize reads "1f4;extension"; zero is the last chunk's.
func (r *Reader) chunkSize(text []byte) error {
	text = bytes.TrimRight(text, " \t")
	text, _, _ = bytes.Cut(text, []byte{';'})
	var size uint64
	for _, c := range text {
		digit := bytes.IndexByte([]byte("0123456789abcdef"), lower(c))
		if digit < 0 {
			return MalformedError(fmt.Sprintf("a chunk's length is %.40q", text))
		}
		size = size<<4 | uint64(digit)
	}
	switch {
	case len(text) == 0 || len(text) > 16:
		return MalformedError(fmt.Sprintf("a chunk's length is %.40q", text))
	case size > MaxBody:
		return ErrBodyTooLong
	case size == 0:
		r.state = inTrailer
	default:
		r.left, r.state = size, inChunk
	}
	return nil
}

// split cuts a line of a header in two. Folded lines, obsolete since 2014, are refused.
func split(text []byte) (name, value []byte, err error) {
	name, value, ok := bytes.Cut(text, []byte{':'})
	if !ok || len(name) == 0 {
		return nil, nil, MalformedError(fmt.Sprintf("a line of the header is %.40q", text))
	}
	for _, c := range name {
		if !isToken(c) {
			return nil, nil, MalformedError(fmt.Sprintf("a line of the header is %.40q", text))
		}
	}
	for _, c := range value {
		if c < ' ' && c != '\t' || c == 0x7f {
			return nil, nil, MalformedError(fmt.Sprintf("a line of the header is %.40q", text))
		}
	}
	return name, bytes.Trim(value, " \t"), nil
}

// number reads decimal digits, at most 18 of them.
func number(text []byte) (uint64, bool) {
	const digits = 18 // below math.MaxInt64
	if len(text) == 0 || len(text) > digits {
		return math.MaxUint64, false
	}
	var n uint64
	for _, c := range text {
		if !isDigit(c) {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return n, true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isToken tells whether a field's name may have c in it: RFC 9110, section 5.6.2.
func isToken(c byte) bool {
	return isDigit(c) || 'a' <= lower(c) && lower(c) <= 'z' || bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), c) >= 0
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

// equalFold compares text with a word in lower case.
func equalFold(text []byte, word string) bool {
	if len(text) != len(word) {
		return false
	}
	for i, c := range text {
		if lower(c) != word[i] {
			return false
		}
	}
	return true
}
