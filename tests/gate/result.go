package gate

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab/diagnose"
	"github.com/rstlab/rstlab/netlab/predict"
	"github.com/rstlab/rstlab/netlab/report"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// Version is that of results.json. It changes when a field changes its meaning or goes;
// fields may be added.
const Version = 1

// Result is the verdict on a server, and what it rests on.
type Result struct {
	Version   int                 `json:"version"`
	Passed    bool                `json:"passed"`
	Error     string              `json:"error,omitempty"` // why there is no verdict; then only the configuration stands beside it
	Config    Config              `json:"config"`
	Server    Listening           `json:"server"`
	Fates     scenario.Fates      `json:"fates"`
	Figures   Figures             `json:"figures"`
	Verdicts  []Verdict           `json:"verdicts"`
	Causes    []diagnose.Count    `json:"causes"`           // of what went wrong; empty if nothing did
	Predicted scenario.Fates      `json:"predicted"`        // by netlab/predict, for a server that accepts at once when it goes on
	Advice    string              `json:"advice,omitempty"` // which backlog, gap or burst would lose nobody, in lines
	Clients   []loadclient.Client `json:"clients"`

	page report.Page
	log  *serverLog
}

// result judges, and tells it.
func (g *game) result(swarm loadclient.Result, e scenario.Evidence) (Result, error) {
	e.Clients = swarm.Errors(g.target())
	for _, line := range g.proc.LastLines() {
		e.Hosts[1].Log = append(e.Hosts[1].Log, scenario.LogLine{Text: line})
	}
	d := diagnose.Run(e)
	r := Result{
		Version: Version, Config: g.Config, Server: g.seen, Fates: swarm.Fates, Figures: figuresOf(swarm.Clients),
		Causes: failures(d), Clients: swarm.Clients, log: g.log,
	}
	r.Verdicts = g.Limits.judge(r.Figures)
	r.Passed = !slices.ContainsFunc(r.Verdicts, func(v Verdict) bool { return !v.Passed })
	s, err := g.scenario(g.seen)
	if err != nil {
		return r, err
	}
	predicted, err := predict.Run(s, g.calibration)
	if err != nil {
		return r, fmt.Errorf("predict: %w", err)
	}
	advice, err := predict.Advise(s, g.calibration)
	if err != nil {
		return r, fmt.Errorf("predict: %w", err)
	}
	r.Predicted = predicted.Fates
	r.page, err = g.page(r, s, e, d)
	if r.aboutQueue() {
		r.Advice, r.page.Advice = advice.String(), &advice
	}
	return r, err
}

// aboutQueue tells whether a longer queue or fewer clients at once would have helped, or
// nothing had to be helped.
func (r Result) aboutQueue() bool {
	return r.Passed || slices.ContainsFunc(r.Causes, func(c diagnose.Count) bool { return slices.Contains(shortQueue, c.Cause) })
}

// shortQueue are the causes that a longer queue cures.
var shortQueue = []diagnose.Cause{
	diagnose.AcceptOverflowAbort, diagnose.AcceptOverflowRetry, diagnose.AcceptOverflowKept, diagnose.KeptExpired,
	diagnose.CookieGhost, diagnose.AcceptOverflowSYN, diagnose.SYNQueueFull, diagnose.MaxSYNBacklog,
}

// notAnswered is how many clients waited in vain although no queue was too short for them.
func (r Result) notAnswered() int {
	for _, c := range r.Causes {
		if c.Cause == diagnose.NotAnswered {
			return c.Flows
		}
	}
	return 0
}

// without is the result where there is no verdict.
func (g *game) without(err error) Result {
	run := report.Run{Name: g.arrivalsInWords(), Clients: g.waves().Clients(), Failed: true, Why: err.Error()}
	return Result{
		Version: Version, Config: g.Config, Error: err.Error(), Causes: []diagnose.Count{}, log: g.log,
		page: report.Page{Title: g.name(), Runs: []report.Run{run}},
	}
}

// failures are the causes of what went wrong.
func failures(d diagnose.Report) []diagnose.Count {
	return slices.DeleteFunc(slices.Clone(d.Summary.Causes), func(c diagnose.Count) bool { return c.Cause == diagnose.Healthy })
}

// scenario is the run as netlab/predict knows it: a server that accepts at once as soon as
// it goes on, which is the stall's time after its first client.
func (g *game) scenario(l Listening) (s scenario.Scenario, err error) {
	sysctls := g.server.DecisiveSysctls()
	number := func(key string) int {
		n, wrong := strconv.Atoi(sysctls[key])
		if wrong != nil {
			err = fmt.Errorf("sysctl %s: %w", key, wrong)
		}
		return n
	}
	s = scenario.Defaults()
	s.Arrivals, s.RTT, s.IPv6 = g.waves(), g.RTT, g.IPv6
	s.Backlog, s.Somaxconn = l.Limit(), number("net.core.somaxconn")
	s.AbortOnOverflow = number("net.ipv4.tcp_abort_on_overflow") != 0
	s.SYNCookies = number(scenario.SYNCookiesKey)
	s.MaxSYNBacklog = number("net.ipv4.tcp_max_syn_backlog")
	s.SYNACKRetries = number("net.ipv4.tcp_synack_retries")
	first := slices.MinFunc(s.Arrivals, func(a, b scenario.Wave) int { return cmp.Compare(a.At, b.At) })
	s.Accept = scenario.Accept{Mode: scenario.AcceptFrom, From: first.At + g.Stall}
	s.Write = new(time.Duration(0))
	return s, err
}

// Save writes results.json, server.log with the server's output, and the report page as
// page.html, page.md and page.json, into a folder, which is made if it does not exist.
func (r Result) Save(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return errors.Join(
		save(filepath.Join(folder, "results.json"), r.writeJSON),
		save(filepath.Join(folder, "server.log"), r.log.writeTo),
		SavePage(folder, r.page),
	)
}

func (r Result) writeJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", " ")
	return encoder.Encode(r)
}

// Markdown writes the report for the summary of a job.
func (r Result) Markdown(w io.Writer) error { return r.page.Markdown(w) }

// SavePage writes a page as page.html, page.md and page.json.
func SavePage(folder string, page report.Page) error {
	return errors.Join(
		save(filepath.Join(folder, "page.html"), page.HTML),
		save(filepath.Join(folder, "page.md"), page.Markdown),
		save(filepath.Join(folder, "page.json"), page.JSON),
	)
}

func save(path string, write func(io.Writer) error) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}
