package loadclient

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Histograms count microseconds up to an hour, to three digits.
const (
	histogramUnit    = time.Microsecond
	histogramLongest = time.Hour
	histogramDigits  = 3
)

// ConnectTimes counts how long the clients waited for their connections, in
// microseconds from their planned starts: a client that the swarm started late has
// waited all the same (no coordinated omission). Clients that never connected are not
// in it; the fates count them. The histograms of several results can be merged.
func (r Result) ConnectTimes() *hdrhistogram.Histogram {
	return r.histogram(func(c *Client) time.Duration { return c.Connected })
}

// AnswerTimes counts likewise how long the clients waited for the first byte of their
// first answer.
func (r Result) AnswerTimes() *hdrhistogram.Histogram {
	return r.histogram(func(c *Client) time.Duration { return c.FirstByte })
}

// histogram counts the clients that got there.
func (r Result) histogram(when func(*Client) time.Duration) *hdrhistogram.Histogram {
	h := hdrhistogram.New(1, int64(histogramLongest/histogramUnit), histogramDigits)
	for i := range r.Clients {
		c := &r.Clients[i]
		if at := when(c); at != 0 {
			took := min(at-c.Planned, histogramLongest)
			_ = h.RecordValue(int64(took / histogramUnit)) // within its bounds
		}
	}
	return h
}

// description is a histogram in JSON: what most ask for, and all of it in the encoding
// that HDR histograms of all languages share.
type description struct {
	Count int64         `json:"count"`
	P50   time.Duration `json:"p50_ns"`
	P90   time.Duration `json:"p90_ns"`
	P99   time.Duration `json:"p99_ns"`
	P999  time.Duration `json:"p999_ns"`
	Max   time.Duration `json:"max_ns"`
	HDR   string        `json:"hdr"` // base64 of the compressed encoding V2, in microseconds
}

func describe(h *hdrhistogram.Histogram) (description, error) {
	encoded, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		return description{}, err
	}
	d := summarize(h)
	d.HDR = string(encoded)
	return d, nil
}

// summarize is a description without the encoding.
func summarize(h *hdrhistogram.Histogram) description {
	at := func(percent float64) time.Duration {
		return time.Duration(h.ValueAtPercentile(percent)) * histogramUnit
	}
	return description{
		Count: h.TotalCount(), P50: at(50), P90: at(90), P99: at(99), P999: at(99.9), Max: time.Duration(h.Max()) * histogramUnit,
	}
}
