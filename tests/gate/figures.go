package gate

import (
	"math"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// Figures are what the limits are held against.
type Figures struct {
	Clients       int           `json:"clients"`
	Served        int           `json:"served"`
	Resets        int           `json:"resets"`
	SYNUnanswered int           `json:"syn_unanswered"` // whatever became of them later
	Unanswered    int           `json:"unanswered"`
	Other         int           `json:"other_failures"` // refused, a bad answer, no local port
	ConnectP99    time.Duration `json:"connect_p99_ns"` // a client that was never connected counts as if at its end
}

// unanswered are the fates of clients that were connected in vain.
var unanswered = []scenario.Fate{
	scenario.Queued, scenario.GhostOrKept, scenario.TimedOut, scenario.Closed, scenario.Truncated,
}

// synUnanswered tells whether a client's first SYN had no answer.
func synUnanswered(c loadclient.Client) bool {
	return c.TCP.SYNRetries > 0 || c.Fate == scenario.SYNDropped
}

// firstTry are the clients' fates as predict counts them: one whose first SYN had no answer
// was dropped, whatever became of it later.
func firstTry(clients []loadclient.Client) scenario.Fates {
	fates := scenario.Fates{}
	for _, c := range clients {
		if synUnanswered(c) {
			c.Fate = scenario.SYNDropped
		}
		fates[c.Fate]++
	}
	return fates
}

// figuresOf counts the clients. One may be SYN-unanswered and something else as well; a
// client that is reset, unanswered or failed otherwise is just one of them.
func figuresOf(clients []loadclient.Client) Figures {
	f := Figures{Clients: len(clients)}
	var connects []time.Duration
	for _, c := range clients {
		repeated := synUnanswered(c)
		if repeated {
			f.SYNUnanswered++
		}
		switch {
		case c.Fate == scenario.Served:
			f.Served++
		case c.Errno == syscall.ECONNRESET:
			f.Resets++
		case c.Connected == 0 && repeated: // is counted already
		case slices.Contains(unanswered, c.Fate):
			f.Unanswered++
		default:
			f.Other++
		}
		connects = append(connects, connectTime(c))
	}
	slices.Sort(connects)
	if n := len(connects); n > 0 {
		f.ConnectP99 = connects[int(math.Ceil(0.99*float64(n)))-1] // the nearest rank
	}
	return f
}

// connectTime is from a client's planned start to its connection, or to its end.
func connectTime(c loadclient.Client) time.Duration {
	if c.Connected == 0 {
		return c.Ended - c.Planned
	}
	return c.Connected - c.Planned
}

// Verdict is one figure held against its limit.
type Verdict struct {
	Name     string `json:"name"`     // as in rstlab.yaml
	Measured string `json:"measured"` // a number of clients, or a duration
	Most     string `json:"most"`     // empty: no limit
	Passed   bool   `json:"passed"`
}

// judge holds the figures against the limits. Failures of other kinds are never allowed:
// they mean that something else is wrong than what the gate is about.
func (l Limits) judge(f Figures) []Verdict {
	verdicts := []Verdict{
		count("resets", f.Resets, l.Resets), count("syn_unanswered", f.SYNUnanswered, l.SYNUnanswered),
		count("unanswered", f.Unanswered, l.Unanswered), count("other_failures", f.Other, 0),
	}
	return append(verdicts, l.judgeConnect(f.ConnectP99))
}

func (l Limits) judgeConnect(measured time.Duration) Verdict {
	v := Verdict{Name: "connect_p99", Measured: round(measured).String(), Passed: true}
	if l.ConnectP99 == 0 {
		return v
	}
	v.Most, v.Passed = l.ConnectP99.String(), measured <= l.ConnectP99
	if v.Passed != (round(measured) <= l.ConnectP99) {
		v.Measured = measured.String() // what was rounded away has decided
	}
	return v
}

// round leaves three digits or so.
func round(d time.Duration) time.Duration {
	if d >= time.Second {
		return d.Round(time.Millisecond)
	}
	return d.Round(10 * time.Microsecond)
}

func count(name string, measured, most int) Verdict {
	return Verdict{Name: name, Measured: strconv.Itoa(measured), Most: strconv.Itoa(most), Passed: measured <= most}
}
