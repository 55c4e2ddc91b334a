package witness

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// WritePcapng writes the packets as a capture that Wireshark reads: one interface for
// each host, in the order of the evidence and with the host's name, raw IP, packets in
// order of their times. Time zero of the evidence is 1970, in nanoseconds. A packet that
// was cut at the snap length keeps its original length. TCP checksums are not right, as
// the package says; Wireshark only complains if it was told to verify them.
//
// The errors are those of the writer, and evidence without a host.
func WritePcapng(to io.Writer, e scenario.Evidence) error {
	if len(e.Hosts) == 0 {
		return errors.New("write pcapng: the evidence has no host")
	}
	writer, err := pcapgo.NewNgWriterInterface(to, captureInterface(e.Hosts[0]), pcapgo.NgWriterOptions{
		SectionInfo: pcapgo.NgSectionInfo{Application: "rstlab"},
	})
	for _, w := range e.Hosts[1:] {
		if err == nil {
			_, err = writer.AddInterface(captureInterface(w))
		}
	}
	for _, s := range sightings(e) {
		if err == nil {
			err = s.write(writer)
		}
	}
	if err == nil {
		err = writer.Flush()
	}
	if err != nil {
		return fmt.Errorf("write pcapng: %w", err)
	}
	return nil
}

func captureInterface(w scenario.Witnessed) pcapgo.NgInterface {
	return pcapgo.NgInterface{Name: w.Host, OS: "linux", LinkType: layers.LinkTypeRaw, SnapLength: 0, TimestampResolution: 9}
}

// sighting is a packet and the number of the host that saw it.
type sighting struct {
	scenario.Packet
	host int
}

// sightings are all packets of all hosts in order of their times.
func sightings(e scenario.Evidence) []sighting {
	var all []sighting
	for i, w := range e.Hosts {
		for _, p := range w.Packets {
			all = append(all, sighting{p, i})
		}
	}
	slices.SortStableFunc(all, func(a, b sighting) int { return cmp.Compare(a.At, b.At) })
	return all
}

func (s sighting) write(to *pcapgo.NgWriter) error {
	return to.WritePacket(gopacket.CaptureInfo{
		Timestamp: time.Unix(0, int64(s.At)), CaptureLength: len(s.Data), Length: s.Length, InterfaceIndex: s.host,
	}, s.Data)
}
