package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"github.com/rstlab/rstlab/netlab/diagnose"
)

// The packets of a connection that was refused, from the IP header on.
var (
	syn4 = packet4(false, "\x02", "\x00\x00\x00\x01", "\x00\x00\x00\x00")
	rst4 = packet4(true, "\x14", "\x00\x00\x00\x00", "\x00\x00\x00\x02")
	syn6 = packet6(false, "\x02", "\x00\x00\x00\x01", "\x00\x00\x00\x00")
	rst6 = packet6(true, "\x14", "\x00\x00\x00\x00", "\x00\x00\x00\x02")
)

// tcp is a header between port 40000 and port 80.
func tcp(back bool, flags, seq, ack string) string {
	ports := "\x9c\x40\x00\x50"
	if back {
		ports = "\x00\x50\x9c\x40"
	}
	return ports + seq + ack + "\x50" + flags + "\x10\x00\x00\x00\x00\x00"
}

func packet4(back bool, flags, seq, ack string) string {
	addresses := "\x0a\x00\x00\x02\x0a\x00\x00\x01"
	if back {
		addresses = addresses[4:] + addresses[:4]
	}
	return "\x45\x00\x00\x28\x00\x07\x40\x00\x40\x06\x00\x00" + addresses + tcp(back, flags, seq, ack)
}

func packet6(back bool, flags, seq, ack string) string {
	client, server := "\xfd"+strings.Repeat("\x00", 14)+"\x02", "\xfd"+strings.Repeat("\x00", 14)+"\x01"
	if back {
		client, server = server, client
	}
	return "\x60\x00\x00\x00\x00\x14\x06\x40" + client + server + tcp(back, flags, seq, ack)
}

// pcap is a classic capture with packets a millisecond apart.
func pcap(t testing.TB, link layers.LinkType, packets ...string) []byte {
	t.Helper()
	var file bytes.Buffer
	w := pcapgo.NewWriter(&file)
	err := w.WriteFileHeader(262144, link)
	for i, p := range packets {
		info := gopacket.CaptureInfo{Timestamp: time.Unix(1e9, int64(i)*1e6), CaptureLength: len(p), Length: len(p)}
		err = errors.Join(err, w.WritePacket(info, []byte(p)))
	}
	if err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func zipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var file bytes.Buffer
	w := gzip.NewWriter(&file)
	_, err := w.Write(data)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// bigEndian is a classic capture in the other byte order.
func bigEndian(file []byte) []byte {
	turned := bytes.Clone(file)
	turn := func(at, size int) { slices.Reverse(turned[at : at+size]) }
	for _, field := range [][2]int{{0, 4}, {4, 2}, {6, 2}, {8, 4}, {12, 4}, {16, 4}, {20, 4}} {
		turn(field[0], field[1])
	}
	for at := 24; at < len(file); {
		size := int(binary.LittleEndian.Uint32(file[at+8:]))
		for i := range 4 {
			turn(at+4*i, 4)
		}
		at += 16 + size
	}
	return turned
}

// shapesOf are the shapes of a capture's flows.
func shapesOf(t *testing.T, file []byte) (shapes, notes []string) {
	t.Helper()
	c, err := read(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range diagnose.Run(c.evidence(nil)).Flows {
		shapes = append(shapes, f.Shape)
	}
	return shapes, c.notes
}

func TestLinkTypes(t *testing.T) {
	const ethernet = "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02"
	const cooked = "\x00\x00\x00\x01\x00\x06\x02\x00\x00\x00\x00\x01\x00\x00"
	const cooked2 = "\x00\x00\x00\x00\x00\x02\x00\x01\x00\x06\x02\x00\x00\x00\x00\x01\x00\x00"
	for _, c := range []struct {
		name         string
		link         layers.LinkType
		four, before string // what stands before IPv4 and before IPv6
	}{
		{"Ethernet", layers.LinkTypeEthernet, ethernet + "\x08\x00", ethernet + "\x86\xdd"},
		{"VLAN", layers.LinkTypeEthernet, ethernet + "\x81\x00\x00\x07\x08\x00", ethernet + "\x81\x00\x00\x07\x86\xdd"},
		{"VLAN in VLAN", layers.LinkTypeEthernet, ethernet + "\x88\xa8\x00\x07\x81\x00\x00\x08\x08\x00", ethernet + "\x88\xa8\x00\x07\x81\x00\x00\x08\x86\xdd"},
		{"raw", layers.LinkTypeRaw, "", ""},
		{"raw, BSD", linkTypeRawBSD, "", ""},
		{"raw, OpenBSD", linkTypeRawOpenBSD, "", ""},
		{"IPv4 and IPv6", layers.LinkTypeIPv4, "", ""},
		{"cooked", layers.LinkTypeLinuxSLL, cooked + "\x08\x00", cooked + "\x86\xdd"},
		{"cooked, version 2", layers.LinkTypeLinuxSLL2, "\x08\x00" + cooked2, "\x86\xdd" + cooked2},
		{"null", layers.LinkTypeNull, "\x02\x00\x00\x00", "\x1e\x00\x00\x00"},
		{"null, big endian", layers.LinkTypeNull, "\x00\x00\x00\x02", "\x00\x00\x00\x1c"},
		{"loop", layers.LinkTypeLoop, "\x00\x00\x00\x02", "\x00\x00\x00\x18"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := pcap(t, c.link, c.four+syn4, c.four+rst4, c.before+syn6, c.before+rst6)
			if got, notes := shapesOf(t, file); !slices.Equal(got, []string{">S <R.", ">S <R."}) || notes != nil {
				t.Errorf("the flows are %q and the notes %q, want two refused ones", got, notes)
			}
		})
	}
}

// What is not TCP or ICMP is left out, and packets keep their numbers.
func TestOtherPacketsKeepTheirPlaces(t *testing.T) {
	udp := syn4[:9] + "\x11" + syn4[10:]
	c, err := read(bytes.NewReader(pcap(t, layers.LinkTypeRaw, udp, "", "\x00junk", syn4, rst4)))
	if err != nil {
		t.Fatal(err)
	}
	f := diagnose.Run(c.evidence(nil)).Flows
	if len(f) != 1 || f[0].For[0].Packet != 4 || c.spots[0].packets[0].Data != nil {
		t.Errorf("the flows are %+v, want one that begins with packet 4", f)
	}
}

func TestFormats(t *testing.T) {
	micro := pcap(t, layers.LinkTypeRaw, syn4, rst4)
	nano := bytes.Clone(micro)
	nano[0], nano[1] = 0x4d, 0x3c
	for name, file := range map[string][]byte{
		"micro": micro, "micro, big endian": bigEndian(micro), "nano": nano, "nano, big endian": bigEndian(nano),
		"gzip": zipped(t, micro), "pcapng": pcapng(t, layers.LinkTypeRaw), "pcapng, gzip": zipped(t, pcapng(t, layers.LinkTypeRaw)),
	} {
		if got, notes := shapesOf(t, file); !slices.Equal(got, []string{">S <R."}) || notes != nil {
			t.Errorf("%s: the flows are %q and the notes %q, want one refused", name, got, notes)
		}
	}
}

// pcapng is a capture with an interface for each link type, which has the packets of a
// refused connection, if it is raw.
func pcapng(t testing.TB, links ...layers.LinkType) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := pcapgo.NewNgWriterInterface(&file, pcapgo.NgInterface{Name: "first", LinkType: links[0]}, pcapgo.NgWriterOptions{})
	for _, link := range links[1:] {
		if err == nil {
			_, err = w.AddInterface(pcapgo.NgInterface{Name: "next\x1b[31m", LinkType: link})
		}
	}
	for i := range links {
		for n, p := range []string{syn4, rst4} {
			info := gopacket.CaptureInfo{Timestamp: time.Unix(1e9, int64(n*1000+i)*1000), CaptureLength: len(p), Length: len(p), InterfaceIndex: i}
			if n == 1 { // what the server sends crosses the interfaces the other way
				info.Timestamp = info.Timestamp.Add(-2 * time.Duration(i) * time.Microsecond)
			}
			if err == nil {
				err = w.WritePacket(info, []byte(p))
			}
		}
	}
	if err := errors.Join(err, w.Flush()); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func TestSeveralInterfaces(t *testing.T) {
	got, notes := shapesOf(t, pcapng(t, layers.LinkTypeRaw, layers.LinkTypeRaw))
	if !slices.Equal(got, []string{">S <R."}) || notes != nil {
		t.Errorf("the flows are %q and the notes %q, want one refused", got, notes)
	}
	c, err := read(bytes.NewReader(pcapng(t, layers.LinkTypeRaw, layers.LinkTypeRaw)))
	if err != nil {
		t.Fatal(err)
	}
	e := c.evidence(nil)
	if len(e.Hosts) != 2 || e.Hosts[0].Host != "first" || e.Hosts[1].Host != "next[31m" {
		t.Errorf("the hosts are %+v, want first and next, without what a terminal would obey", e.Hosts)
	}
	got, notes = shapesOf(t, pcapng(t, layers.LinkTypeRaw, layers.LinkTypeIEEE802_11))
	want := []string{"2 packets are not read: its link type is 105, and only Ethernet, Linux cooked, loopback and raw IP are read"}
	if !slices.Equal(got, []string{">S <R."}) || !slices.Equal(notes, want) {
		t.Errorf("the flows are %q and the notes %q, want one refused and %q", got, notes, want)
	}
}

func TestReadFails(t *testing.T) {
	broken := errors.New("broken")
	if _, err := read(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("read(a broken reader) = %v, want its error", err)
	}
	file := pcap(t, layers.LinkTypeRaw, syn4, rst4)
	c, err := read(io.MultiReader(bytes.NewReader(file), iotest.ErrReader(broken)))
	if err != nil || len(c.notes) != 1 || c.records != 2 {
		t.Errorf("read(a reader that breaks) = %+v, %v, want 2 packets and a note", c, err)
	}
}

// Packets that are out of order are sorted, and those without a time follow others.
func TestOrder(t *testing.T) {
	file := pcap(t, layers.LinkTypeRaw, rst4, syn4)
	binary.LittleEndian.PutUint32(file[24+4:], 5000) // the RST comes later
	got, notes := shapesOf(t, file)
	if want := []string{"packets were not in order of their times; the numbers of packets count in that order"}; !slices.Equal(got, []string{">S <R."}) || !slices.Equal(notes, want) {
		t.Errorf("the flows are %q and the notes %q, want one refused and %q", got, notes, want)
	}
}

// FuzzRead: any bytes give a report or an error.
func FuzzRead(f *testing.F) {
	f.Add(pcap(f, layers.LinkTypeRaw, syn4, rst4))
	f.Add(bigEndian(pcap(f, layers.LinkTypeNull, "\x02\x00\x00\x00"+syn4)))
	f.Add(pcapng(f, layers.LinkTypeRaw, layers.LinkTypeEthernet))
	f.Add(zipped(f, pcap(f, layers.LinkTypeLinuxSLL2, syn4)))
	for _, name := range []string{overflow, "testdata/tcpdump-any.pcap.gz"} {
		file, err := os.Open(name)
		if err != nil {
			f.Fatal(err)
		}
		unzipped, err := gzip.NewReader(file)
		if err != nil {
			f.Fatal(err)
		}
		data, err := io.ReadAll(unzipped)
		if err := errors.Join(err, file.Close()); err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		c, err := read(bytes.NewReader(file))
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("the error has more than one line: %q", err)
			}
			return
		}
		r := diagnose.Run(c.evidence(&counters{}))
		if err := text(io.Discard, c.about("fuzz"), r); err != nil {
			t.Error(err)
		}
	})
}
