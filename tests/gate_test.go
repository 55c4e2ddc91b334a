package tests

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/tests/gate"
)

var gateSettings = gate.NewSettings(flag.CommandLine)

// TestGate puts a server through a burst of clients while it stands still, and holds what
// became of them against limits: the server of the settings, or without a target
// rstlab's own front with its backend. Each limit is a subtest.
func TestGate(t *testing.T) {
	if flag.NArg() > 0 {
		t.Fatalf("%q is no flag: put the command in quotes, as in -target 'node server.js'", flag.Arg(0))
	}
	config, err := gateSettings.Config(gateBase(t), os.Environ())
	fatal(t, err)
	folder := gateReport(t)
	result, err := gate.Play(t.Context(), t, config, startFront)
	defer saveGate(t, result, folder)
	fatal(t, err)
	for _, v := range result.Verdicts {
		t.Run(v.Name, func(t *testing.T) {
			if !v.Passed {
				t.Errorf("%s is %s, want at most %s", v.Name, v.Measured, v.Most)
			}
		})
	}
}

// startFront starts the front and its backend on one host, as in the story.
func startFront(host *netlab.Host) (*netlab.Proc, int) {
	backend := fmt.Sprintf("%s:%d", host.Addr(), backendPort)
	host.StartRole(backendRole.Name, "-listen", backend).WaitListening(backendPort)
	front := host.StartRole(frontRole.Name, "-listen", fmt.Sprintf(":%d", frontPort), "-backend", backend, "-pool", "4", "-timeout", frontPatience.String())
	return front, frontPort
}

// gateBase is the folder from which relative paths count: the repository's, since go test
// runs a test in its package's folder, and the working folder of a binary that is run
// elsewhere, as the action does.
func gateBase(t *testing.T) string {
	t.Helper()
	folder, err := os.Getwd()
	fatal(t, err)
	if text, err := os.ReadFile("../go.mod"); err == nil && strings.HasPrefix(string(text), "module github.com/rstlab/rstlab\n") {
		return filepath.Dir(folder)
	}
	return folder
}

// gateReport is the folder that was asked for, made before the gate is played; empty if
// none was.
func gateReport(t *testing.T) string {
	t.Helper()
	folder := *reportDir
	if folder == "" {
		return ""
	}
	if !filepath.IsAbs(folder) {
		folder = filepath.Join(gateBase(t), folder)
	}
	fatal(t, os.MkdirAll(folder, 0o755))
	probe, err := os.CreateTemp(folder, "probe-")
	fatal(t, err)
	fatal(t, errors.Join(probe.Close(), os.Remove(probe.Name())))
	return folder
}

// saveGate writes the results where it was asked for, or where a failed test leaves its
// evidence.
//
// It is no helper: deferred behind a failure, what it says would seem to come from Go's
// own panic.go.
func saveGate(t *testing.T, result gate.Result, folder string) {
	var summary strings.Builder
	fatal(t, result.Markdown(&summary))
	appendSummary(t, summary.String())
	switch {
	case folder != "":
	case t.Failed() && artifactsKept():
		folder = t.ArtifactDir()
	case t.Failed():
		t.Log("for a report with every cause and its proof, add -report FOLDER behind -args")
		return
	default:
		return
	}
	fatal(t, result.Save(folder))
	t.Logf("results.json and page.html are in %s", folder)
}
