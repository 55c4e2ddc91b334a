package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// record is a packet of a capture.
type record struct {
	at   time.Duration
	by   string // the name of its interface
	data []byte
}

// String tells what the interface saw and when: "50ms server S".
func (r record) String() string {
	s, _ := (&Packet{Data: r.data}).Segment()
	return fmt.Sprintf("%v %s %v", r.at, r.by, s.Flags)
}

// readCapture reads a capture that has the interfaces client and server.
func readCapture(t *testing.T, from io.Reader) (all []record) {
	t.Helper()
	reader, err := pcapgo.NewNgReader(from, pcapgo.NgReaderOptions{ErrorOnMismatchingLinkType: true})
	must(t, err)
	names := []string{}
	for {
		data, info, err := reader.ReadPacketData()
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		face, err := reader.Interface(info.InterfaceIndex)
		must(t, err)
		if info.Length != len(data) {
			t.Errorf("record %d says %d bytes and has %d", len(all), info.Length, len(data))
		}
		all = append(all, record{time.Duration(info.Timestamp.UnixNano()), face.Name, data})
	}
	for i := range reader.NInterfaces() {
		face, err := reader.Interface(i)
		must(t, err)
		names = append(names, face.Name)
		if face.LinkType != layers.LinkTypeRaw {
			t.Errorf("interface %s has link type %v, want raw IP", face.Name, face.LinkType)
		}
	}
	if want := []string{"client", "server"}; !slices.Equal(names, want) {
		t.Errorf("the capture has interfaces %v, want %v", names, want)
	}
	return all
}

// Two clients wait in the queue when the listener closes, and are reset. Each packet
// stands in the capture at both ends, byte for byte as the kernels made it.
func TestCaptureOfAPlay(t *testing.T) {
	for _, ipv6 := range []bool{false, true} {
		t.Run(fmt.Sprintf("ipv6=%v", ipv6), func(t *testing.T) {
			t.Parallel()
			w := newWire(t)
			s := scenario.Defaults()
			s.Arrivals, s.Accept.Mode = scenario.Arrivals{{Clients: 2}}, scenario.AcceptNever
			s.RTT, s.Backlog, s.CloseListener, s.IPv6 = rtt, 2, new(400*time.Millisecond), ipv6
			_, err := w.Play(s)
			must(t, err)
			var capture bytes.Buffer
			must(t, w.WritePcapng(&capture))
			readByTshark(t, capture.Bytes(), 16)
			got := readCapture(t, &capture)
			want := "[0s client S 0s client S 50ms server S 50ms server S 50ms server S. 50ms server S." +
				" 100ms client S. 100ms client S. 100ms client . 100ms client . 150ms server . 150ms server ." +
				" 400ms server R. 400ms server R. 450ms client R. 450ms client R.]"
			if fmt.Sprint(got) != want {
				t.Errorf("the capture is\n%v, want\n%s", got, want)
			}
			for i, s := range sightings(w.Packets()) {
				if i < len(got) && !bytes.Equal(got[i].data, s.packet.Data) {
					t.Errorf("record %d is %x, want %x", i, got[i].data, s.packet.Data)
				}
			}
			for _, r := range got {
				checkSums(t, r.data)
			}
		})
	}
}

// checkSums checks the sums of a packet: of whatever a checksum covers, itself
// included, the sum is 0xffff (RFC 1071).
func checkSums(t *testing.T, data []byte) {
	t.Helper()
	s, ok := scenario.ReadSegment(data)
	if !ok {
		t.Fatalf("packet %x is not TCP", data)
	}
	source, tcp := s.Source.Addr(), data[40:]
	if source.Is4() {
		tcp = data[20:] // its header has no options
	}
	pseudo := slices.Concat(source.AsSlice(), s.Target.Addr().AsSlice(), []byte{0, scenario.ProtocolTCP}, binary.BigEndian.AppendUint16(nil, uint16(len(tcp))))
	if sum := internetSum(append(pseudo, tcp...)); sum != 0xffff {
		t.Errorf("TCP sum of %x is %#x, want 0xffff", data, sum)
	}
	if source.Is4() {
		if sum := internetSum(data[:20]); sum != 0xffff {
			t.Errorf("IPv4 header sum of %x is %#x, want 0xffff", data, sum)
		}
	}
}

func internetSum(data []byte) uint32 {
	if len(data)%2 == 1 {
		data = append(slices.Clone(data), 0)
	}
	sum := uint32(0)
	for ; len(data) > 0; data = data[2:] {
		sum += uint32(binary.BigEndian.Uint16(data))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return sum
}

// readByTshark has Wireshark's own reader look at a capture, where there is one: it
// says nothing and finds no packet malformed or with a wrong checksum.
func readByTshark(t *testing.T, capture []byte, packets int) {
	t.Helper()
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Logf("tshark does not read the capture: %v", err)
		return
	}
	name := filepath.Join(t.TempDir(), "play.pcapng")
	must(t, os.WriteFile(name, capture, 0o600))
	cmd := exec.CommandContext(t.Context(), tshark, "-r", name, "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE",
		"-Y", "!_ws.malformed && !(_ws.expert.severity == error)")
	var errors strings.Builder
	cmd.Stderr = &errors
	output, err := cmd.Output()
	warnings := slices.DeleteFunc(slices.Collect(strings.Lines(errors.String())), func(line string) bool {
		return strings.HasPrefix(line, "Running as user") // root is warned, whatever the capture
	})
	if lines := strings.Count(string(output), "\n"); lines != packets || err != nil || len(warnings) != 0 {
		t.Errorf("tshark found %d packets without a fault, want %d: %v\n%s%q", lines, packets, err, output, warnings)
	}
}

// A lost packet stands at its sender only, a duplicated one once for each arrival, and
// an injected one where it arrived, since nobody sent it.
func TestCaptureOfUnusualPackets(t *testing.T) {
	syn, ack := unhex(t, recordedSYN), unhex(t, recordedACK)
	w := &Wire{packets: []*Packet{
		{Sent: 1, From: Client, Data: syn},
		{Sent: 2, From: Client, Data: ack, Arrived: []time.Duration{7, 9}},
		{Sent: 7, From: Server, Data: syn, Arrived: []time.Duration{8}},
		{Sent: 9, From: Server, Data: ack, Arrived: []time.Duration{10}, Injected: true},
	}}
	var capture bytes.Buffer
	must(t, w.WritePcapng(&capture))
	want := "[1ns client S 2ns client . 7ns server . 7ns server S 8ns client S 9ns server . 10ns client .]"
	if got := fmt.Sprint(readCapture(t, &capture)); got != want {
		t.Errorf("the capture is\n%s, want\n%s", got, want)
	}
}

// brokenWriter fails after so many bytes.
type brokenWriter int

var errBroken = errors.New("broken")

func (b *brokenWriter) Write(p []byte) (int, error) {
	if *b -= brokenWriter(len(p)); *b < 0 {
		return 0, errBroken
	}
	return len(p), nil
}

// Whenever the writer fails, the error is the writer's and says what was done.
func TestCaptureToABrokenWriter(t *testing.T) {
	w := &Wire{}
	for range 1000 {
		w.packets = append(w.packets, &Packet{Data: unhex(t, recordedSYN)})
	}
	var whole bytes.Buffer
	must(t, w.WritePcapng(&whole))
	for _, room := range []int{0, whole.Len() / 2, whole.Len() - 1} {
		to := brokenWriter(room)
		if err := w.WritePcapng(&to); !errors.Is(err, errBroken) || err.Error() != "write pcapng: broken" {
			t.Errorf("WritePcapng to a writer that fails after %d bytes = %v, want write pcapng: broken", room, err)
		}
	}
}
