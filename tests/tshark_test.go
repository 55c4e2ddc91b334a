package tests

import (
	"bytes"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rstlab/rstlab/netlab/diagnose"
	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/rstlab/rstlab/netlab/witness"
)

// TestTshark holds the captures against somebody else's eyes. Of every cause that
// TestCauses makes happen, alone and beside its look-alike, and of a deploy on a veth
// pair, tshark reads each capture that we write: all packets, none with a fault, without a
// warning. It counts as many resets after a handshake as the report.
func TestTshark(t *testing.T) {
	needTshark(t)
	if *wholeMachine {
		for _, c := range machineCauses() { // before the others, which it would disturb
			t.Run(string(c.cause), func(t *testing.T) { c.stage(t).readByTshark(t) })
		}
	}
	t.Parallel()
	for name, stage := range stages() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stage(t).readByTshark(t)
		})
	}
	t.Run("deploy", func(t *testing.T) {
		t.Parallel()
		d := newDeployment(t, deploys()[0])
		e, _ := d.play()
		if n := readByTshark(t, e, witnesses(e)); n != d.waiting {
			t.Errorf("tshark counts %d resets after a handshake, want one for each of the %d who waited", n, d.waiting)
		}
	})
}

// stages are how to make all causes and pairs of them happen, by name.
func stages() map[string]func(*testing.T) staged {
	all := map[string]func(*testing.T) staged{}
	for _, c := range slices.Concat(playedCauses(), stagedCauses(), firewallCauses()) {
		all[string(c.cause)] = c.stage
	}
	for _, p := range lookAlikes() {
		all[strings.Join(asText(p.causes[:]), ",")] = p.stage
	}
	return all
}

func needTshark(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Skip("tshark is not installed; type: sudo apt-get install tshark")
	}
}

// readByTshark has both captures of a run read: the witnesses' and the wire's own.
func (s staged) readByTshark(t *testing.T) {
	t.Helper()
	readByTshark(t, s.Evidence, witnesses(s.Evidence))
	readByTshark(t, s.Evidence, s.wire.WritePcapng)
}

// witnesses writes the capture of what was witnessed.
func witnesses(e scenario.Evidence) func(io.Writer) error {
	return func(to io.Writer) error { return witness.WritePcapng(to, e) }
}

// readByTshark has a capture read, which has the packets of the evidence, and gives the
// number of connections that the client saw reset after a handshake.
func readByTshark(t *testing.T, e scenario.Evidence, write func(io.Writer) error) int {
	t.Helper()
	frames := dissect(t, write)
	seen, packets := map[string]int{}, map[string]int{}
	for _, f := range frames {
		seen[f.at]++
	}
	for _, h := range e.Hosts {
		packets[h.Host] = len(h.Packets)
	}
	if !maps.Equal(seen, packets) {
		t.Errorf("tshark reads so many packets without a fault: %v, want %v", seen, packets)
	}
	got, want := resetsIn(frames, e.Hosts[0].Host), reportedResets(e)
	if got != want {
		t.Errorf("tshark counts %d resets after a handshake, the report %d", got, want)
	}
	return got
}

// frame is what tshark tells of a packet.
type frame struct {
	at        string // the interface
	protocols string // such as raw:ip:tcp
	stream    string // the number of the connection
	source    string // port
	flags     scenario.Flags
}

// dissect runs tshark, which must not complain, and gives the packets in which it finds
// no fault.
func dissect(t *testing.T, write func(io.Writer) error) []frame {
	t.Helper()
	var capture, stdout, stderr bytes.Buffer
	fatal(t, write(&capture))
	name := filepath.Join(t.TempDir(), "run.pcapng")
	fatal(t, os.WriteFile(name, capture.Bytes(), 0o600))
	cmd := exec.CommandContext(t.Context(), "tshark", "-n", "-r", name, "-Y", "!(_ws.malformed || _ws.expert.severity == error)", "-T", "fields", "-E", "occurrence=f",
		"-e", "frame.interface_name", "-e", "frame.protocols", "-e", "tcp.stream", "-e", "tcp.srcport", "-e", "tcp.flags")
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil || warnings(stderr.String()) != "" {
		t.Fatalf("tshark: %v, %s", err, stderr.String())
	}
	var frames []frame
	for line := range strings.Lines(stdout.String()) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		flags, _ := strconv.ParseUint(fields[4], 0, 16) // there are none where TCP is not
		frames = append(frames, frame{fields[0], fields[1], fields[2], fields[3], scenario.Flags(flags)})
	}
	return frames
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

// resetsIn counts the connections in which a host saw a SYN-ACK, then an ACK of the one
// who got it, and then a RST of the one who sent it.
func resetsIn(frames []frame, host string) int {
	const greeted, established, reset = 1, 2, 3
	state, server := map[string]int{}, map[string]string{}
	n := 0
	for _, f := range frames {
		if f.at != host || f.stream == "" || strings.Contains(f.protocols, "icmp") {
			continue // an ICMP error quotes a segment, which tshark counts as one of the connection
		}
		isServer := server[f.stream] == f.source
		switch {
		case f.flags&(scenario.SYN|scenario.ACK) == scenario.SYN|scenario.ACK && state[f.stream] == 0:
			state[f.stream], server[f.stream] = greeted, f.source
		case state[f.stream] == greeted && !isServer && f.flags&(scenario.SYN|scenario.ACK|scenario.RST) == scenario.ACK:
			state[f.stream] = established
		case state[f.stream] == established && isServer && f.flags&scenario.RST != 0:
			state[f.stream] = reset
			n++
		}
	}
	return n
}

// resetAfterHandshake is the shape of a connection that the server's end reset.
var resetAfterHandshake = regexp.MustCompile(`<S\..* >[FP]*\..* <R`)

// reportedResets counts the flows of that shape. That of memory pressure is too long to be
// shown as far as the RST, which is why the connection has this cause.
func reportedResets(e scenario.Evidence) int {
	n := 0
	for _, f := range diagnose.Run(e).Flows {
		if resetAfterHandshake.MatchString(f.Shape) || f.Cause == diagnose.MemoryPressure {
			n++
		}
	}
	return n
}
