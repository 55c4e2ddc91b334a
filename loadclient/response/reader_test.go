package response

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unsafe"
)

// reading is what a Reader made of a stream.
type reading struct {
	status int
	closes bool
	body   int
	used   int    // bytes up to the end of the response, or to the error
	err    string // of Feed or End
}

// read feeds the stream in pieces of the given size and then ends it, unless the
// response was complete before.
func read(stream string, piece int) (reading, *Reader) {
	var r Reader
	var got reading
	var err error
	for err == nil && !r.Done() && got.used < len(stream) {
		var n int
		n, err = r.Feed([]byte(stream[got.used:min(len(stream), got.used+piece)]))
		got.used += n
	}
	if err == nil && !r.Done() {
		err = r.End()
	}
	got.status, got.closes, got.body = r.Status(), r.Closes(), int(r.body)
	if err != nil {
		got.err = err.Error()
	}
	return got, &r
}

const head = "HTTP/1.1 200 OK\r\n"

// streams are responses and what is made of each; the rest of the stream behind a
// response is not used.
var streams = []struct {
	name, stream string
	want         reading
	rest         int
}{
	{"length", head + "Content-Length: 3\r\n\r\nabcHTTP/1.1", reading{200, false, 3, 0, ""}, 8},
	{"empty", head + "content-length:0\r\n\r\n", reading{200, false, 0, 0, ""}, 0},
	{"no reason", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", reading{200, false, 0, 0, ""}, 0},
	{"bare LF in the head", "HTTP/1.1 200 OK\nContent-Length: 1\n\na", reading{200, false, 1, 0, ""}, 0},
	{"close announced", head + "Connection: foo, Close\r\nContent-Length: 1\r\n\r\na", reading{200, true, 1, 0, ""}, 0},
	{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", reading{200, true, 1, 0, ""}, 0},
	{"HTTP/1.0 kept", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na", reading{200, false, 1, 0, ""}, 0},
	{"HTTP/1.0 knows no chunks", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", reading{200, true, 5, 0, ""}, 0},
	{"ends with the stream", head + "\r\nabc", reading{200, true, 3, 0, ""}, 0},
	{"ends with the stream, empty", head + "\r\n", reading{200, true, 0, 0, ""}, 0},
	{"204", "HTTP/1.1 204 No Content\r\n\r\nabc", reading{204, false, 0, 0, ""}, 3},
	{"304 with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", reading{304, false, 0, 0, ""}, 0},
	{"100 and 103 before it", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\nContent-Length: 9\r\n\r\n" + head + "Content-Length: 1\r\n\r\na",
		reading{200, false, 1, 0, ""}, 0},
	{"chunks", head + "Transfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0A;x=y\r\n0123456789\r\n0\r\n\r\nrest", reading{200, false, 13, 0, ""}, 4},
	{"chunks override a length", head + "Content-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", reading{200, false, 1, 0, ""}, 0},
	{"trailer", head + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n", reading{200, false, 1, 0, ""}, 0},

	{"nothing", "", reading{err: "EOF"}, 0},
	{"cut in the status line", "HTTP/1.1 2", reading{err: "unexpected EOF"}, 0},
	{"cut in the head", head + "Content-", reading{status: 200, err: "unexpected EOF"}, 0},
	{"cut behind a 100", "HTTP/1.1 100 Continue\r\n\r\n", reading{err: "unexpected EOF"}, 0},
	{"cut in the body", head + "Content-Length: 3\r\n\r\nab", reading{status: 200, body: 2, err: "unexpected EOF"}, 0},
	{"cut in a chunk", head + "Transfer-Encoding: chunked\r\n\r\n9\r\nab", reading{status: 200, body: 2, err: "unexpected EOF"}, 0},
	{"cut before the trailer", head + "Transfer-Encoding: chunked\r\n\r\n0\r\n", reading{status: 200, err: "unexpected EOF"}, 0},
}

func TestReader(t *testing.T) {
	t.Parallel()
	for _, test := range streams {
		for _, piece := range []int{1, 2, 3, 7, len(test.stream) + 1} {
			t.Run(fmt.Sprintf("%s,piece=%d", test.name, piece), func(t *testing.T) {
				t.Parallel()
				want := test.want
				want.used = len(test.stream) - test.rest
				if got, _ := read(test.stream, piece); got != want {
					t.Errorf("read %q:\n got %+v\nwant %+v", test.stream, got, want)
				}
			})
		}
	}
}

func TestMalformed(t *testing.T) {
	t.Parallel()
	const chunks = head + "Transfer-Encoding: chunked\r\n\r\n"
	for _, test := range []struct{ stream, want string }{
		{"SSH-2.0-x\r\n", `it begins with "SSH-2.0-x"`},
		{"\r\n", `it begins with ""`},
		{"HTTP/2.0 200 OK\r\n", `it begins with "HTTP/2.0 200 OK"`},
		{"HTTP/1.1 +20 OK\r\n", `it begins with "HTTP/1.1 +20 OK"`},
		{"HTTP/1.1 099 OK\r\n", `it begins with "HTTP/1.1 099 OK"`},
		{"HTTP/1.1 2000\r\n", `it begins with "HTTP/1.1 2000"`},
		{"HTTP/1.1 101 Switching Protocols\r\n\r\n", "it switches to a protocol that nobody asked for"},
		{head + "no colon\r\n", `a line of the header is "no colon"`},
		{head + ": x\r\n", `a line of the header is ": x"`},
		{head + "A b: x\r\n", `a line of the header is "A b: x"`},
		{head + "A: x\r\n y\r\n", `a line of the header is " y"`},
		{head + "A: \x01\r\n", `a line of the header is "A: \x01"`},
		{head + "Content-Length: -1\r\n", `Content-Length is "-1", want one number`},
		{head + "Content-Length:\r\n", `Content-Length is "", want one number`},
		{head + "Content-Length: 1, 1\r\n", `Content-Length is "1, 1", want one number`},
		{head + "Content-Length: 1\r\nContent-Length: 1\r\n", `Content-Length is "1", want one number`},
		{head + "Content-Length: 1234567890123456789\r\n", `Content-Length is "1234567890123456789", want one number`},
		{head + "Transfer-Encoding: gzip, chunked\r\n", `Transfer-Encoding is "gzip, chunked", want chunked`},
		{chunks + "\r\n", `a chunk's length is ""`},
		{chunks + "g\r\n", `a chunk's length is "g"`},
		{chunks + "-1\r\n", `a chunk's length is "-1"`},
		{chunks + "00000000000000001\r\n", `a chunk's length is "00000000000000001"`},
		{chunks + "1\n", "a line of the chunked body ends without CR"},
		{chunks + "1\r\nab\r\n", "a chunk is longer than its length"},
		{chunks + "0\r\nno colon\r\n", `a line of the header is "no colon"`},
	} {
		got, _ := read(test.stream, 5)
		if got.err != "malformed response: "+test.want {
			t.Errorf("read %q: %s, want %s", test.stream, got.err, test.want)
		}
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", MaxHead)
	for _, test := range []struct {
		name, stream string
		want         error
	}{
		{"status line", "HTTP/1.1 200 " + long, ErrHeadTooLong},
		{"header", head + "A: " + long, ErrHeadTooLong},
		{"1xx", strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", MaxHead/20), ErrHeadTooLong},
		{"trailer", head + "Transfer-Encoding: chunked\r\n\r\n0\r\nA: " + long, ErrHeadTooLong},
		{"chunk line", head + "Transfer-Encoding: chunked\r\n\r\n0;" + long, errChunkLine},
		{"length", head + "Content-Length: 67108865\r\n\r\n", ErrBodyTooLong},
		{"chunk", head + "Transfer-Encoding: chunked\r\n\r\n4000001\r\n", ErrBodyTooLong},
		{"stream", head + "\r\n" + strings.Repeat("x", MaxBody+1), ErrBodyTooLong},
	} {
		if got, _ := read(test.stream, 1<<12); got.err != test.want.Error() {
			t.Errorf("%s: %q, want %v", test.name, got.err, test.want)
		}
	}
	if size := unsafe.Sizeof(Reader{}); size != 32 {
		t.Errorf("a Reader has %d bytes, want 32", size)
	}
}

func TestExcerpt(t *testing.T) {
	t.Parallel()
	for stream, want := range map[string]string{
		"HTTP/1.1 502 x\r\nContent-Length: 17\r\n\r\n hop a > b \xff\nmore":                          "hop a > b ?",
		"HTTP/1.1 502 x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhop\r\n2\r\n a\r\n0\r\n\r\n":       "hop a",
		"HTTP/1.1 500 x\r\n\r\n" + strings.Repeat("x", 5000):                                         strings.Repeat("x", 200),
		"HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n":                                                "",
		"HTTP/1.1 200 x\r\nContent-Length: 3\r\n\r\nabc":                                             "",
		"HTTP/1.1 100 x\r\n\r\nHTTP/1.1 503 x\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbusy": "busy",
	} {
		for _, piece := range []int{1, 1000} {
			if got, r := read(stream, piece); r.Excerpt() != want || !r.Done() {
				t.Errorf("excerpt of %.60q is %q (%+v), want %q", stream, r.Excerpt(), got, want)
			}
		}
	}
}

func TestNext(t *testing.T) {
	t.Parallel()
	var r Reader
	stream := []byte("HTTP/1.1 404 x\r\nContent-Length: 1\r\n\r\nx" + head + "Content-Length: 2\r\n\r\nxx")
	n, err := r.Feed(stream)
	if err != nil || !r.Done() || r.Status() != 404 {
		t.Fatalf("first response: %d bytes, %v, %+v", n, err, r)
	}
	r.Next()
	if r.Begun() || r.Done() || !errors.Is(r.End(), io.EOF) {
		t.Errorf("after Next: %+v", r)
	}
	if _, err = r.Feed(stream[n:]); err != nil || !r.Done() || r.Status() != 200 || r.Excerpt() != "" {
		t.Errorf("second response: %v, %+v", err, r)
	}
}
