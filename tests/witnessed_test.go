package tests

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rstlab/rstlab/netlab/diagnose"
	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/rstlab/rstlab/netlab/witness"
)

var witnessed = flag.Int("witnessed", 10, "play every so many-th scenario of the grid with every witness on")

// TestExactWitnessed plays a tenth of the grid with every witness on. Recording must not
// change what it records.
func TestExactWitnessed(t *testing.T) {
	st := newVirtual(t)
	st.wire.Record()
	recording := witness.Record(t, witness.Config{Trace: witness.TraceAvailable() == nil}, st.wire.Client, st.wire.Server)
	played := 0
	for i, s := range grid() {
		if i%*witnessed != 0 {
			continue
		}
		played++
		if err := st.compare(s); err != nil {
			t.Errorf("%v\n%v", s, err)
		}
	}
	e := recording.Stop()
	for _, h := range e.Hosts {
		if len(h.Packets) == 0 || len(h.Counters) < 2 {
			t.Errorf("host %s: %d packets and %d samples of the counters were recorded", h.Host, len(h.Packets), len(h.Counters))
		}
	}
	t.Logf("witnessed: %d scenarios equal with every witness on", played)
}

// TestTshark holds the captures against somebody else's eyes: tshark reads them without
// a warning and counts as many resets after a handshake as the report.
func TestTshark(t *testing.T) {
	t.Parallel()
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not installed; type: sudo apt-get install tshark")
	}
	for _, c := range slices.Concat(playedCauses(), stagedCauses()) {
		t.Run(string(c.cause), func(t *testing.T) {
			t.Parallel()
			e := c.stage(t)
			capture := filepath.Join(t.TempDir(), "run.pcapng")
			var text bytes.Buffer
			fatal(t, witness.WritePcapng(&text, e))
			fatal(t, os.WriteFile(capture, text.Bytes(), 0o600))

			cmd := exec.CommandContext(t.Context(), tshark, "-n", "-r", capture, "-Y",
				`frame.interface_name == "client" && tcp.flags.reset == 1`, "-T", "fields", "-e", "tcp.srcport", "-e", "tcp.dstport")
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if err := cmd.Run(); err != nil || warnings(stderr.String()) != "" {
				t.Fatalf("tshark: %v, %s", err, stderr.String())
			}
			if got, want := resetFlows(stdout.String()), reportedResets(e); got != want {
				t.Errorf("tshark sees RSTs from the server in %d connections, the report in %d", got, want)
			}
		})
	}
}

// warnings leaves out what tshark says of being run as root.
func warnings(stderr string) string {
	var left []string
	for line := range strings.Lines(stderr) {
		if !strings.Contains(line, "Running as user") && strings.TrimSpace(line) != "" {
			left = append(left, line)
		}
	}
	return strings.Join(left, "")
}

// resetFlows counts the connections in which the server sent a RST. Its port is below
// those that a kernel gives to clients.
func resetFlows(fields string) int {
	flows := map[string]bool{}
	for line := range strings.Lines(fields) {
		if ports := strings.Fields(line); len(ports) == 2 {
			if source, err := strconv.Atoi(ports[0]); err == nil && source < 32768 {
				flows[ports[1]] = true
			}
		}
	}
	return len(flows)
}

// reportedResets counts the flows with a RST from the server at the client's end.
func reportedResets(e scenario.Evidence) int {
	n := 0
	for _, f := range diagnose.Run(e).Flows {
		if strings.Contains(f.Shape, "<R") {
			n++
		}
	}
	return n
}
