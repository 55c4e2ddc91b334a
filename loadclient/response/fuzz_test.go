package response

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
)

// FuzzReader holds the Reader against net/http, and each way of cutting the stream
// against the others.
func FuzzReader(f *testing.F) {
	for _, s := range streams {
		f.Add(s.stream, 1)
	}
	f.Fuzz(func(t *testing.T, stream string, piece int) {
		whole, _ := read(stream, len(stream)+1)
		pieces, _ := read(stream, 1+int(uint(piece)%64))
		if whole.err == "" || pieces.err == "" {
			if whole != pieces {
				t.Errorf("%q:\nat once   %+v\nin pieces %+v", stream, whole, pieces)
			}
		}
		if whole.err != "" {
			return
		}
		if want := readHTTP(stream); whole != want {
			t.Errorf("%q:\n     got %+v\nnet/http %+v", stream, whole, want)
		}
	})
}

// readHTTP is what net/http makes of the stream.
func readHTTP(stream string) reading {
	left := strings.NewReader(stream)
	buffered := bufio.NewReader(left)
	for {
		resp, err := http.ReadResponse(buffered, nil)
		if err != nil {
			return reading{err: err.Error()}
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return reading{status: resp.StatusCode, err: err.Error()}
		}
		if resp.StatusCode >= 200 {
			return reading{status: resp.StatusCode, closes: resp.Close, body: len(body), used: len(stream) - left.Len() - buffered.Buffered()}
		}
	}
}
