package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/rstlab/rstlab/netlab"
)

// port is the server's.
const port = 8080

// stage is a lab of two hosts in which one tool plays one question once.
type stage struct {
	client, server *netlab.Host
	folder         string // for files, of this stage alone
	proc           *netlab.Proc
	reportFile     string // the server's
}

// wide is no limit that any question comes near: the tools are measured, not the queues.
var wide = map[string]string{
	"net.core.somaxconn": "65535", "net.ipv4.tcp_max_syn_backlog": "65535", "net.ipv4.ip_local_port_range": "1024 65535",
}

// newStage joins two hosts whose limits are wide, and keeps its files in a folder that
// goes with the lab.
func newStage(tb netlab.TB) (*stage, error) {
	client, server := netlab.New(tb).Pair()
	return newStageOf(tb, client, server)
}

func newStageOf(tb netlab.TB, client, server *netlab.Host) (*stage, error) {
	folder, err := os.MkdirTemp("", "rstlab-bench-")
	if err != nil {
		return nil, err
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(folder); err != nil {
			tb.Errorf("%v", err)
		}
	})
	for _, host := range []*netlab.Host{client, server} {
		for key, value := range wide {
			if err := host.SetSysctl(key, value); err != nil {
				return nil, err
			}
		}
	}
	return &stage{client: client, server: server, folder: folder}, nil
}

func (s *stage) target() string { return fmt.Sprintf("http://%s:%d/", s.server.Addr(), port) }

// serve starts the server.
func (s *stage) serve(plan serverPlan) {
	s.reportFile = filepath.Join(s.folder, "server.json")
	plan.Address, plan.Report = s.server.Addr()+":"+strconv.Itoa(port), s.reportFile
	if plan.Backlog == 0 {
		plan.Backlog = 65535
	}
	s.proc = s.server.StartRole(serverRole, planArgs(plan)).WaitListening(port)
}

// stop ends the server and gives what it counted.
func (s *stage) stop() (served, error) {
	var counted served
	if status := s.proc.Stop(); status != "exit status 0" {
		return counted, fmt.Errorf("the server ended with %s", status)
	}
	return counted, readJSON(s.reportFile, &counted)
}

// played is what a tool did, as seen from outside.
type played struct {
	measured
	output string
}

// play runs a tool against the server until it ends.
func (s *stage) play(ctx context.Context, t tool, l load) (played, error) {
	finish, err := s.begin(t, l)
	if err != nil {
		return played{}, err
	}
	return finish(ctx)
}

// errEndless is a tool that does not end.
var errEndless = fmt.Errorf("had not ended after %v", patience)

// begin starts a tool. Finish waits for its end.
func (s *stage) begin(t tool, l load) (finish func(context.Context) (played, error), err error) {
	l.Target, l.Script = s.target(), filepath.Join(s.folder, "script")
	if err := os.WriteFile(l.Script, []byte(t.script), 0o644); err != nil {
		return nil, err
	}
	plan := measuredPlan{
		Command: t.command(l), Env: []string{"HOME=" + s.folder}, // siege would make a folder in the home
		Output: filepath.Join(s.folder, "output"), Report: filepath.Join(s.folder, "measured.json"),
	}
	proc := s.client.StartRole(measuredRole, planArgs(plan))
	return func(ctx context.Context) (played, error) {
		select {
		case <-proc.Done():
		case <-time.After(patience):
			proc.Stop()
			return played{}, errEndless
		case <-ctx.Done():
			proc.Stop()
			return played{}, context.Cause(ctx)
		}
		if status := proc.Stop(); status != "exit status 0" {
			return played{}, fmt.Errorf("%s could not be measured: %s", t.name, status)
		}
		var p played
		output, err := os.ReadFile(plan.Output)
		p.output = string(output)
		return p, errors.Join(err, readJSON(plan.Report, &p.measured))
	}, nil
}
