package gate

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

// say prints one line: when, what it is about, and what there is to say.
func (g *game) say(about, format string, args ...any) {
	if about == "" {
		about = fmt.Sprintf("%5.2f s", time.Since(g.begin).Seconds())
	}
	fmt.Fprintf(g.out, "%-9s%s\n", about, fmt.Sprintf(format, args...))
}

// announce says what will be done.
func (g *game) announce() {
	g.say("gate", "%s", g.name())
	g.say("clients", "%s, %d each, %v for all of it", g.arrivalsInWords(), g.Requests, g.Timeout)
	if g.Stall > 0 {
		g.say("server", "paused for %v from the first client on", g.Stall)
	}
	if g.Sysctls != nil {
		g.say("sysctls", "%v", pairs{&g.Sysctls})
	}
	l := g.Limits
	p99 := "any"
	if l.ConnectP99 > 0 {
		p99 = l.ConnectP99.String()
	}
	g.say("at most", "%d resets, %d SYN-unanswered, %d unanswered, connect p99 %s", l.Resets, l.SYNUnanswered, l.Unanswered, p99)
}

func (g *game) arrivalsInWords() string {
	var waves []string
	for _, w := range g.waves() {
		text := fmt.Sprintf("%d at once", w.Clients)
		if w.Gap > 0 {
			text = fmt.Sprintf("%d, one in %v", w.Clients, w.Gap)
		}
		if w.At > 0 {
			text += fmt.Sprintf(" after %v", w.At)
		}
		waves = append(waves, text)
	}
	over := "over a veth pair"
	if g.RTT > 0 {
		over = fmt.Sprintf("%v away", g.RTT)
	}
	return strings.Join(waves, "; then ") + ", " + over
}

// Listening is the server's listener, or several that share the port.
type Listening struct {
	Addr      string   `json:"addr"`
	Limits    []uint32 `json:"limits"` // of the accept queues, one a listener
	Somaxconn string   `json:"somaxconn"`
}

func (g *game) listening() Listening {
	l := Listening{Somaxconn: g.server.DecisiveSysctls()["net.core.somaxconn"]}
	for _, q := range g.listeners() {
		l.Addr = q.Addr.String()
		l.Limits = append(l.Limits, q.Limit)
	}
	return l
}

// Limit is that of the listener with the shortest queue.
func (l Listening) Limit() int {
	limit := l.Limits[0]
	for _, other := range l.Limits {
		limit = min(limit, other)
	}
	return int(limit)
}

// Asked is what the server asked listen(2) for. The kernel keeps only the smaller of
// that and somaxconn.
func (l Listening) Asked() string {
	if limit := fmt.Sprint(l.Limit()); limit != l.Somaxconn {
		return limit
	}
	return l.Somaxconn + " or more"
}

// String says what the server listens with.
func (l Listening) String() string {
	shared := ""
	if n := len(l.Limits); n > 1 {
		shared = fmt.Sprintf(" by %d sockets, each", n)
	}
	return fmt.Sprintf("listens on %s%s with an accept queue of limit %d (it asked listen(2) for %s; somaxconn is %s)",
		l.Addr, shared, l.Limit(), l.Asked(), l.Somaxconn)
}

// print tells the verdict, and what would have passed.
func (g *game) print(r Result) {
	fmt.Fprintln(g.out)
	table := tabwriter.NewWriter(g.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "\tmeasured\tat most\t\n")
	for _, v := range r.Verdicts {
		mark := "ok"
		if !v.Passed {
			mark = "FAILED"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", v.Name, v.Measured, v.Most, mark)
	}
	_ = table.Flush() // a log that is lost must not stop the gate
	fmt.Fprintln(g.out)
	for _, c := range r.Causes {
		g.say("cause", "%s, %s: %d connections, %d of them served late%s", c.Cause, c.Grade, c.Flows, c.Recovered, after("; ", c.Cure))
	}
	g.say("predict", "at their first try %s, if the server accepts at once as soon as it goes on%s", r.Predicted, shared(r.Server))
	for line := range strings.Lines(r.Advice) {
		g.say("advice", "%s", strings.TrimSuffix(line, "\n"))
	}
	if n := r.notAnswered(); n > 0 {
		g.say("advice", "%d clients were let in and not answered in time, which no backlog and no gap cures: the program is too slow", n)
	} else if r.Advice == "" {
		g.say("advice", "no queue was too short, so neither a backlog nor a gap would help: see the causes")
	}
	g.say("verdict", "%s", r.Sentence())
}

// after is a text with what goes before it, if there is one.
func after(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text
}

// shared says what the prediction leaves out.
func shared(l Listening) string {
	if len(l.Limits) == 1 {
		return ""
	}
	return fmt.Sprintf("; for all clients at one of the %d sockets, while the kernel spreads them", len(l.Limits))
}

// Sentence is the verdict in one sentence.
func (r Result) Sentence() string {
	var broken []string
	for _, v := range r.Verdicts {
		if !v.Passed {
			broken = append(broken, fmt.Sprintf("%s %s, at most %s", v.Name, v.Measured, v.Most))
		}
	}
	if broken == nil {
		return fmt.Sprintf("PASSED: %v", r.Fates)
	}
	return fmt.Sprintf("FAILED: %s (%v)", strings.Join(broken, "; "), r.Fates)
}
