package main

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rstlab/rstlab/loadclient"
)

// load is what a tool is asked to do.
type load struct {
	Kind    string        // of load: see the kinds
	Target  string        // URL
	Script  string        // path of the tool's file
	Clients int           // at a time
	Gap     time.Duration // between two of them
	For     time.Duration // how long it lasts, where it is not one request each
}

// The kinds of load.
const (
	kindHeld  = "held"  // so many connections with one request each, none closed before the last answer
	kindFresh = "fresh" // so many clients, each with a new connection for each request, for some time
	kindBurst = "burst" // so many connections with one request each, begun at once
	kindTruth = "truth" // a burst to be reset; a tool without arguments of its own for it takes those of a burst
	kindPaced = "paced" // so many connections with one request each, a gap between one and the next
)

// tool is a load generator.
type tool struct {
	name    string
	args    map[string]string                 // by kind: its arguments, in which words in braces stand for the load's values
	cannot  map[string]string                 // by kind, why it does not play that
	most    int                               // clients at a time; zero: any number
	program string                            // its path, or of ours the name of the program
	pack    string                            // Debian's package; empty: none
	script  string                            // the text of a file, whose path is {script}
	told    func(output string) (told, error) // what it says became of its clients or requests
}

// self is this program's own file.
const self = "/proc/self/exe"

// The names of ours in the tables.
const (
	oursName  = "rstlab"
	httpName  = "rstlab HTTP"
	storyName = "story"
	wrkName   = "wrk"
)

// command is the tool's command line.
func (t tool) command(l load) []string {
	switch t.program {
	case swarmProgram:
		engine := loadclient.Epoll
		if t.name == httpName {
			engine = loadclient.HTTP
		}
		return []string{self, swarmProgram, planArgs(swarmPlan{Engine: engine, Target: l.Target, Clients: l.Clients, Gap: l.Gap, For: l.For})}
	case storyProgram:
		return []string{self, storyProgram, planArgs(storyPlan{Target: l.Target, Clients: l.Clients, Gap: l.Gap})}
	}
	var args []string
	words := t.args[l.Kind]
	if words == "" && l.Kind == kindTruth {
		words = t.args[kindBurst]
	}
	for arg := range strings.FieldsSeq(words) {
		args = append(args, l.fill(arg))
	}
	return append([]string{t.program}, args...)
}

// fill puts the load's values into an argument.
func (l load) fill(arg string) string {
	address := "" // one that does not parse has no host
	if u, err := url.Parse(l.Target); err == nil {
		address = u.Hostname()
	}
	rate := 0
	if l.Gap > 0 {
		rate = int(time.Second / l.Gap)
	}
	return strings.NewReplacer(
		"{url}", l.Target, "{script}", l.Script, "{host}", address, "{port}", strconv.Itoa(port), "{clients}", strconv.Itoa(l.Clients),
		"{seconds}", strconv.Itoa(int(l.For/time.Second)), "{gap}", l.Gap.String(), "{rate}", strconv.Itoa(rate),
	).Replace(arg)
}

// why tells why the tool does not play this load; empty: it does.
func (t tool) why(kind string, clients int) string {
	switch {
	case t.cannot[kind] != "":
		return "no: " + t.cannot[kind]
	case t.most > 0 && clients > t.most:
		return fmt.Sprintf("no: at most %d clients", t.most)
	}
	return ""
}
