package gate

import (
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab/diagnose"
	"github.com/rstlab/rstlab/netlab/report"
	"github.com/rstlab/rstlab/netlab/scenario"
	"golang.org/x/sys/unix"
)

func (g *game) target() netip.AddrPort { return netip.AddrPortFrom(g.addr, uint16(g.port)) }

// page is the report of the run.
func (g *game) page(r Result, s scenario.Scenario, e scenario.Evidence, d diagnose.Report) (report.Page, error) {
	run := report.Run{Name: g.arrivalsInWords(), Fates: r.Fates, Clients: r.Figures.Clients, Failed: !r.Passed}
	if run.Failed {
		run.Why = r.Sentence()
	}
	facts, err := Environment(e.Hosts[1])
	page := report.Page{
		Title: g.name(), Runs: []report.Run{run}, Evidence: e, Diagnosis: d, ConnectTimes: ConnectTimes(r.Clients),
		Environment: append(facts, report.Fact{Name: "server", Value: r.Server.String()}),
	}
	if err != nil || g.Stall == 0 || len(g.waves()) > 1 || g.waves()[0].Gap > 0 {
		return page, err // the heat map is about bursts
	}
	clients := g.waves().Clients()
	backlogs := ascending(16, 128, 511, 4096, s.Backlog)
	bursts := ascending(max(1, clients/4), max(1, clients/2), clients, 2*clients, 4*clients)
	page.Heat, err = report.BacklogByBurst(s, g.calibration, backlogs, bursts)
	if err == nil {
		page.Heat.Measure(slices.Index(backlogs, s.Backlog), slices.Index(bursts, clients), firstTry(r.Clients))
	}
	return page, err
}

func ascending(numbers ...int) []int {
	slices.Sort(numbers)
	return slices.Compact(numbers)
}

// ConnectTimes are the clients' handshakes for a report.
func ConnectTimes(clients []loadclient.Client) []report.ConnectTime {
	var all []report.ConnectTime
	for _, c := range clients {
		took := report.ConnectTime{Duration: c.Connected - c.Started, SYNRetries: int(c.TCP.SYNRetries), Fate: c.Fate}
		if c.Connected == 0 {
			took.Duration = c.Ended - c.Started
		}
		all = append(all, took)
	}
	return all
}

// Environment is what a report says about the machine and the server's host.
func Environment(server scenario.Witnessed) ([]report.Fact, error) {
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		return nil, fmt.Errorf("uname: %w", err)
	}
	facts := []report.Fact{
		{Name: "kernel", Value: unix.ByteSliceToString(uts.Release[:])},
		{Name: "architecture", Value: runtime.GOARCH},
		{Name: "Go", Value: runtime.Version()},
		{Name: "date", Value: time.Now().UTC().Format(time.DateOnly)},
	}
	for _, key := range []string{"net.core.somaxconn", "net.ipv4.tcp_abort_on_overflow", scenario.SYNCookiesKey, "net.ipv4.tcp_max_syn_backlog"} {
		facts = append(facts, report.Fact{Name: key, Value: server.Sysctls[key]})
	}
	return facts, nil
}
