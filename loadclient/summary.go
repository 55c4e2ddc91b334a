package loadclient

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// maxKinds bounds the lines of a summary: an error text that differs from
// client to client must not bury the others.
const maxKinds = 12

// kind is what clients that failed alike have in common.
type kind struct {
	fate  scenario.Fate
	phase Phase
	err   string
}

// example is how many clients are of a kind, and the first of them.
type example struct {
	count, client int
}

// String says what became of the swarm: the fates, one line for each kind of
// failure, how long they waited for connections and answers from their planned starts, the
// slowest answer, the SYN retries if there were any, how the clients really started, and
// whether this machine stood still meanwhile.
//
//	400 clients of http://198.18.0.2:8080/ in 1.042s: served 331, reset 69
//	    69 reset in dial, such as client 17: connect: connection reset by peer
//	connected: 398; p50 1.23ms, p90 2.1ms, p99 1.041s, max 1.041s
//	answered: 331; p50 3.1ms, p90 5.02ms, p99 1.041s, max 1.041s
//	slowest answer: client 33, 1.041s after its planned start
//	SYN retries: 12 clients, at most 1 each, such as client 33
//	starts: first to last 3.4ms, longest hole 210µs, 99 % at most 3.5ms late, drift 3.4ms
//	this machine stood still 2 times for over 1ms, 14.5ms at most
func (r Result) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d clients of %s in %v: %v\n",
		len(r.Clients), r.Target, r.Elapsed.Round(time.Millisecond), r.Fates)
	kinds := r.kinds()
	order := slices.SortedFunc(maps.Keys(kinds), func(x, y kind) int {
		return cmp.Or(cmp.Compare(x.fate, y.fate), cmp.Compare(kinds[y].count, kinds[x].count),
			cmp.Compare(kinds[x].client, kinds[y].client))
	})
	for _, k := range order[:min(len(order), maxKinds)] {
		fmt.Fprintf(&b, "%6d %v%s, such as client %d: %s\n",
			kinds[k].count, k.fate, k.phase.in(), kinds[k].client, k.err)
	}
	if more := len(order) - maxKinds; more > 0 {
		fmt.Fprintf(&b, "       and %d more kinds\n", more)
	}
	b.WriteString(percentiles("connected", r.ConnectTimes()))
	b.WriteString(percentiles("answered", r.AnswerTimes()))
	b.WriteString(r.slowest())
	b.WriteString(r.synRetries())
	if starts := r.Starts(); starts.Count > 1 {
		fmt.Fprintf(&b, "%v\n", starts)
	}
	if r.Stalls.Count > 0 {
		fmt.Fprintf(&b, "%v\n", r.Stalls)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// kinds groups the clients that were not served.
func (r Result) kinds() map[kind]example {
	kinds := map[kind]example{}
	for _, c := range r.Clients {
		if c.Fate == scenario.Served {
			continue
		}
		k := kind{c.Fate, c.Phase, c.Error}
		e, seen := kinds[k]
		if !seen {
			e.client = c.Number
		}
		e.count++
		kinds[k] = e
	}
	return kinds
}

// percentiles is the line about the clients that got somewhere, empty where none did.
func percentiles(what string, h *hdrhistogram.Histogram) string {
	if h.TotalCount() == 0 {
		return ""
	}
	d := summarize(h)
	return fmt.Sprintf("%s: %d; p50 %v, p90 %v, p99 %v, max %v\n", what, d.Count, round(d.P50), round(d.P90), round(d.P99), round(d.Max))
}

// slowest is the line about the answer that was longest in coming, empty where none
// came.
func (r Result) slowest() string {
	var worst Client
	for _, c := range r.Clients {
		if c.FirstByte-c.Planned > worst.FirstByte-worst.Planned {
			worst = c
		}
	}
	if worst.FirstByte == 0 {
		return ""
	}
	return fmt.Sprintf("slowest answer: client %d, %v after its planned start\n",
		worst.Number, (worst.FirstByte - worst.Planned).Round(time.Millisecond))
}

// synRetries is the line about SYN retries, empty where none is known of.
func (r Result) synRetries() string {
	var clients int
	var most Client
	for _, c := range r.Clients {
		if c.TCP.SYNRetries == 0 {
			continue
		}
		clients++
		if c.TCP.SYNRetries > most.TCP.SYNRetries {
			most = c
		}
	}
	if clients == 0 {
		return ""
	}
	return fmt.Sprintf("SYN retries: %d clients, at most %d each, such as client %d\n",
		clients, most.TCP.SYNRetries, most.Number)
}
