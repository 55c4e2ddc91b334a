package main

import (
	"fmt"
	"strings"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// Survey is what the survey found, as JSON keeps it.
type Survey struct {
	Kernel      string               `json:"kernel"` // its release
	Date        string               `json:"date"`   // of the survey, such as 2026-01-31
	Calibration scenario.Calibration `json:"calibration"`
	Rows        []Row                `json:"rows"`
	Skipped     []Skipped            `json:"skipped,omitempty"`
}

// Skipped is a server that could not be surveyed, and why.
type Skipped struct {
	Server string `json:"server"`
	Why    string `json:"why"`
}

// String is a line such as "skipped: haproxy (not installed; apt install haproxy)".
func (s Skipped) String() string { return fmt.Sprintf("skipped: %s (%s)", s.Server, s.Why) }

// markdown is the survey as a table.
func (s Survey) markdown() string {
	var text strings.Builder
	fmt.Fprintf(&text, "Measured on Linux %s on %s.\n\n", s.Kernel, s.Date)
	text.WriteString("| server | version | asks for | gets | largest burst (predicted) | one client more | handshakes under way, abort off | handshakes under way, abort on | as predicted |\n")
	text.WriteString("|---|---|---|---|---|---|---|---|---|\n")
	for _, r := range s.Rows {
		cells := []string{r.Server, r.Version, r.asks(), r.gets(), r.bursts(), r.oneMore(), r.AbortOff.UnderWay.String(), r.AbortOn.UnderWay.String(), r.agrees()}
		fmt.Fprintf(&text, "| %s |\n", strings.Join(cells, " | "))
	}
	for i, skipped := range s.Skipped {
		if i == 0 {
			text.WriteString("\n")
		}
		fmt.Fprintf(&text, "- %v\n", skipped)
	}
	return text.String()
}

func (r Row) asks() string {
	asks := fmt.Sprint(r.Backlog)
	if r.AsksForMost {
		asks = "somaxconn"
	}
	if r.DefersAccept {
		asks += ", deferred"
	}
	return asks
}

func (r Row) gets() string {
	if r.Listeners > 1 {
		return fmt.Sprintf("%d × %d", r.Listeners, r.Limit)
	}
	return fmt.Sprint(r.Limit)
}

func (r Row) bursts() string {
	off, on := r.AbortOff.OneMore.Burst, r.AbortOn.OneMore.Burst
	measured := fmt.Sprint(off)
	if on != off {
		measured += fmt.Sprintf(" and %d", on)
	}
	if r.Listeners > 1 {
		return fmt.Sprintf("%s (%d to %d)", measured, r.PredictedBurst, r.Listeners*r.PredictedBurst)
	}
	return fmt.Sprintf("%s (%d)", measured, r.PredictedBurst)
}

// oneMore is told once where it is the same with abort on and off.
func (r Row) oneMore() string {
	off, on := r.AbortOff.OneMore.String(), r.AbortOn.OneMore.String()
	if off == on {
		return off
	}
	return "abort off: " + off + "; on: " + on
}

func (o OneMore) String() string {
	return fmt.Sprintf("%v; answered %d, the last after %d SYN more", without(o.Stalled, scenario.Queued), o.Answered, o.SYNRepeats)
}

func (u *UnderWay) String() string {
	if u == nil {
		return "not played"
	}
	return fmt.Sprintf("of %d: %v; answered %d of %d", u.Clients, without(u.Stalled, scenario.Queued), u.Answered, u.Stalled.Total())
}

// without leaves out those that are fine.
func without(fates scenario.Fates, fine scenario.Fate) scenario.Fates {
	rest := scenario.Fates{}
	for fate, n := range fates {
		if fate != fine && n > 0 {
			rest[fate] = n
		}
	}
	return rest
}

func (r Row) agrees() string {
	if r.Differences == nil {
		return "yes"
	}
	return fmt.Sprintf("no: %s", strings.Join(r.Differences, "; "))
}
