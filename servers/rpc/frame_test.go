package rpc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

const limit = 1 << 16

var frames = []Frame{
	{ID: 1, Kind: Request, Method: "echo", Payload: []byte("hello")},
	{ID: 2, Kind: Request, Timeout: 1500 * time.Millisecond, Method: "", Payload: []byte{}},
	{ID: 1<<64 - 1, Kind: Request, Method: strings.Repeat("m", 255), Payload: []byte{0}},
	{ID: 3, Kind: Answer, Payload: []byte{}},
	{ID: 4, Kind: Answer, Payload: []byte("hello")},
	{ID: 5, Kind: Failure, Code: BadRequest, Payload: []byte("no such method")},
	{ID: 0, Kind: Failure, Code: Unavailable, Payload: []byte{}},
}

func encoded(t testing.TB, f Frame) []byte {
	t.Helper()
	b, err := f.encode(limit)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFrameLayout(t *testing.T) {
	for _, tt := range []struct {
		frame Frame
		want  string
	}{
		{Frame{ID: 0x0102, Kind: Request, Timeout: 3 * time.Millisecond, Method: "echo", Payload: []byte("hi")},
			"\x00\x00\x00\x14" + "\x00\x00\x00\x00\x00\x00\x01\x02" + "\x01" + "\x00\x00\x00\x03" + "\x04echo" + "hi"},
		{Frame{ID: 1, Kind: Answer, Payload: []byte("hi")},
			"\x00\x00\x00\x0b" + "\x00\x00\x00\x00\x00\x00\x00\x01" + "\x02" + "hi"},
		{Frame{ID: 1, Kind: Failure, Code: Internal, Payload: []byte("hi")},
			"\x00\x00\x00\x0c" + "\x00\x00\x00\x00\x00\x00\x00\x01" + "\x03" + "\x05" + "hi"},
	} {
		if got := encoded(t, tt.frame); string(got) != tt.want {
			t.Errorf("encode(%+v) = %q, want %q", tt.frame, got, tt.want)
		}
	}
}

func TestFrameRoundTrip(t *testing.T) {
	var stream bytes.Buffer
	for _, f := range frames {
		if err := WriteFrame(&stream, f, limit); err != nil {
			t.Fatal(err)
		}
	}
	r := iotest.OneByteReader(&stream)
	for _, want := range frames {
		if got, err := ReadFrame(r, limit); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("read %+v, %v, want %+v", got, err, want)
		}
	}
	if _, err := ReadFrame(r, limit); err != io.EOF {
		t.Errorf("at the end: %v, want io.EOF", err)
	}
}

func TestFrameTimeoutRoundsUp(t *testing.T) {
	for _, tt := range []struct{ give, want time.Duration }{
		{-time.Second, 0},
		{0, 0},
		{1, time.Millisecond},
		{time.Millisecond, time.Millisecond},
		{time.Millisecond + 1, 2 * time.Millisecond},
		{1 << 62, (1<<32 - 1) * time.Millisecond},
	} {
		b := encoded(t, Frame{ID: 1, Kind: Request, Timeout: tt.give})
		got, err := ReadFrame(bytes.NewReader(b), limit)
		if got.Timeout != tt.want || err != nil {
			t.Errorf("%v became %v (%v), want %v", tt.give, got.Timeout, err, tt.want)
		}
	}
}

func TestReadFrameErrors(t *testing.T) {
	broken := errors.New("broken reader")
	request := "\x00\x00\x00\x01" // id 1 to 8 follow
	for _, tt := range []struct {
		name  string
		input io.Reader
		want  error
	}{
		{"empty", strings.NewReader(""), io.EOF},
		{"broken", iotest.ErrReader(broken), broken},
		{"in the length", strings.NewReader("\x00\x00\x00"), &TruncatedError{Got: 3, Want: 4}},
		{"after the length", strings.NewReader("\x00\x00\x00\x09"), &TruncatedError{Got: 4, Want: 13}},
		{"in the body", strings.NewReader("\x00\x00\x00\x09\x00"), &TruncatedError{Got: 5, Want: 13}},
		{"over the limit", strings.NewReader("\x00\x01\x00\x01"), &OversizedError{Size: limit + 1, Limit: limit}},
		{"far over the limit", strings.NewReader("\xff\xff\xff\xff"), &OversizedError{Size: 1<<32 - 1, Limit: limit}},
		{"length 0", strings.NewReader("\x00\x00\x00\x00"), &MalformedError{"length is 0, want at least 9"}},
		{"kind 0", strings.NewReader("\x00\x00\x00\x09" + request + "\x00\x00\x00\x01" + "\x00"), &MalformedError{"kind is 0, want 1 to 3"}},
		{"kind 4", strings.NewReader("\x00\x00\x00\x09" + request + "\x00\x00\x00\x01" + "\x04"), &MalformedError{"kind is 4, want 1 to 3"}},
		{"answer 0", strings.NewReader("\x00\x00\x00\x09" + "\x00\x00\x00\x00\x00\x00\x00\x00" + "\x02"), &MalformedError{"id is 0, which only a failure may have"}},
		{"short request", strings.NewReader("\x00\x00\x00\x0a" + request + "\x00\x00\x00\x01" + "\x01\x00"), &MalformedError{"request ends in its header"}},
		{"long method", strings.NewReader("\x00\x00\x00\x0e" + request + "\x00\x00\x00\x01" + "\x01\x00\x00\x00\x00\x02"), &MalformedError{"method has 2 bytes, 0 follow"}},
		{"failure without code", strings.NewReader("\x00\x00\x00\x09" + request + "\x00\x00\x00\x01" + "\x03"), &MalformedError{"failure without a code"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := ReadFrame(tt.input, limit); !reflect.DeepEqual(err, tt.want) {
				t.Errorf("err = %v, want %v", err, tt.want)
			}
		})
	}
}

func TestWriteFrameRefuses(t *testing.T) {
	for _, tt := range []struct {
		frame Frame
		want  error
	}{
		{Frame{ID: 1}, &MalformedError{"kind is 0, want 1 to 3"}},
		{Frame{Kind: Request}, &MalformedError{"id is 0, which only a failure may have"}},
		{Frame{ID: 1, Kind: Request, Method: strings.Repeat("m", 256)}, &MalformedError{"method has 256 bytes, want at most 255"}},
		{Frame{ID: 1, Kind: Answer, Payload: make([]byte, limit)}, &OversizedError{Size: limit + commonSize, Limit: limit}},
	} {
		var out bytes.Buffer
		if err := WriteFrame(&out, tt.frame, limit); !reflect.DeepEqual(err, tt.want) {
			t.Errorf("err = %v, want %v", err, tt.want)
		}
		if out.Len() != 0 {
			t.Errorf("%v: %d bytes written, want none", tt.want, out.Len())
		}
	}
}

// Any bytes decode to a frame which encodes to the same bytes, or give one of
// the documented errors, and take no more memory than the limit.
func FuzzFrame(f *testing.F) {
	for _, frame := range frames {
		b := encoded(f, frame)
		f.Add(b)
		f.Add(b[:len(b)-1])
	}
	f.Add([]byte{})
	f.Add([]byte("\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, input []byte) {
		const limit = 1 << 10
		frame, err := ReadFrame(bytes.NewReader(input), limit)
		if err != nil {
			if err := documented(err); err != nil {
				t.Fatal(err)
			}
			return
		}
		if cap(frame.Payload) > limit {
			t.Errorf("payload takes %d bytes, limit %d", cap(frame.Payload), limit)
		}
		b, err := frame.encode(limit)
		if err != nil || !bytes.HasPrefix(input, b) {
			t.Errorf("%q became %+v and then %q (%v)", input, frame, b, err)
		}
	})
}

func documented(err error) error {
	switch err.(type) {
	case *OversizedError, *TruncatedError, *MalformedError:
		return nil
	}
	if err == io.EOF {
		return nil
	}
	return fmt.Errorf("undocumented error %T: %w", err, err)
}

func BenchmarkFrame(b *testing.B) {
	frame := Frame{ID: 1, Kind: Request, Method: "echo", Payload: make([]byte, 1<<10)}
	var stream bytes.Buffer
	for b.Loop() {
		stream.Reset()
		if err := WriteFrame(&stream, frame, limit); err != nil {
			b.Fatal(err)
		}
		if _, err := ReadFrame(&stream, limit); err != nil {
			b.Fatal(err)
		}
	}
}
