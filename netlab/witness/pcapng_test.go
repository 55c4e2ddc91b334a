package witness

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// recorded is the evidence of a few connections, with packets longer than the snap
// length.
func recorded(t *testing.T) scenario.Evidence {
	t.Helper()
	client, server := pair(t)
	listen(t, server, server.Addr()+":8080", 10)
	rec := Record(t, Config{SnapLength: 80}, client, server)
	for _, conn := range dial(t, client, server.Addr()+":8080", 10) {
		_, err := conn.Write(make([]byte, 1000))
		must(t, err)
	}
	return rec.Stop()
}

func TestPcapngRoundTrip(t *testing.T) {
	t.Parallel()
	evidence := recorded(t)
	var file bytes.Buffer
	must(t, WritePcapng(&file, evidence))
	reader, err := pcapgo.NewNgReader(&file, pcapgo.DefaultNgReaderOptions)
	must(t, err)
	all := sightings(evidence)
	if len(all) != 2*10*5 {
		t.Errorf("%d sightings, want 100: five packets of ten connections at both ends", len(all))
	}
	for i, s := range all {
		data, info, err := reader.ReadPacketData()
		must(t, err)
		if !bytes.Equal(data, s.Data) || info.Length != s.Length || info.InterfaceIndex != s.host || info.Timestamp.UnixNano() != int64(s.At) {
			t.Errorf("packet %d is %+v, want the one of host %d at %v with %d bytes", i, info, s.host, s.At, s.Length)
		}
	}
	if _, _, err := reader.ReadPacketData(); err == nil {
		t.Error("there are more packets than were written")
	}
	for i, w := range evidence.Hosts {
		face, err := reader.Interface(i)
		must(t, err)
		if face.Name != w.Host || face.LinkType != layers.LinkTypeRaw {
			t.Errorf("interface %d is %+v, want %s with raw IP", i, face, w.Host)
		}
	}
}

func TestPcapngWithoutPackets(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	if err := WritePcapng(&file, scenario.Evidence{}); err == nil || err.Error() != "write pcapng: the evidence has no host" {
		t.Errorf("without a host: %v", err)
	}
	must(t, WritePcapng(&file, scenario.Evidence{Hosts: []scenario.Witnessed{{Host: "client"}, {Host: "server"}}}))
	reader, err := pcapgo.NewNgReader(&file, pcapgo.DefaultNgReaderOptions)
	must(t, err)
	if n := reader.NInterfaces(); n != 1 { // the reader has read as far as the first one
		t.Errorf("%d interfaces, want 1", n)
	}
	if _, _, err := reader.ReadPacketData(); err == nil || reader.NInterfaces() != 2 {
		t.Errorf("%d interfaces, %v; want 2 and no packet", reader.NInterfaces(), err)
	}
}

// Wireshark's own reader says nothing but what was recorded.
func TestTsharkReadsPcapng(t *testing.T) {
	t.Parallel()
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("no tshark on PATH; type: apt-get install tshark")
	}
	evidence := recorded(t)
	name := filepath.Join(t.TempDir(), "run.pcapng")
	var file bytes.Buffer
	must(t, WritePcapng(&file, evidence))
	must(t, os.WriteFile(name, file.Bytes(), 0o600))
	cmd := exec.CommandContext(t.Context(), tshark, "-r", name, "-o", "tcp.check_checksum:FALSE", "-T", "fields", "-e", "frame.interface_name",
		"-e", "frame.time_epoch", "-e", "frame.len", "-e", "frame.cap_len", "-e", "ip.len", "-e", "_ws.malformed")
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	must(t, cmd.Run())
	var want strings.Builder
	for _, s := range sightings(evidence) {
		fmt.Fprintf(&want, "%s\t%s\t%d\t%d\t%d\t\n", evidence.Hosts[s.host].Host, epoch(s.At), s.Length, len(s.Data), s.Length)
	}
	if out.String() != want.String() {
		t.Errorf("tshark says\n%swant\n%s", out.String(), want.String())
	}
	for line := range strings.Lines(complaints.String()) {
		if !strings.Contains(line, "as user \"root\"") {
			t.Errorf("tshark complains: %s", line)
		}
	}
}

func epoch(at time.Duration) string {
	return fmt.Sprintf("%d.%09d", at/time.Second, at%time.Second)
}
