package wire

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// WritePcapng writes all packets as a capture that Wireshark reads, with one interface
// for each end: a packet stands at the interface of its sender when it was sent and at
// the other one whenever it arrived. Virtual time begins in 1970; the checksums are
// those of the kernels.
func (w *Wire) WritePcapng(to io.Writer) error {
	writer, err := pcapgo.NewNgWriterInterface(to, captureInterface(Client), pcapgo.NgWriterOptions{
		SectionInfo: pcapgo.NgSectionInfo{Application: "rstlab"},
	})
	if err == nil {
		_, err = writer.AddInterface(captureInterface(Server))
	}
	if err != nil {
		return fmt.Errorf("write pcapng: %w", err)
	}
	for _, s := range sightings(w.packets) {
		info := gopacket.CaptureInfo{
			Timestamp: time.Unix(0, int64(s.at)), CaptureLength: len(s.packet.Data), Length: len(s.packet.Data), InterfaceIndex: int(s.by),
		}
		if err := writer.WritePacket(info, s.packet.Data); err != nil {
			return fmt.Errorf("write pcapng: %w", err)
		}
	}
	if err := writer.Flush(); err != nil {
		return fmt.Errorf("write pcapng: %w", err)
	}
	return nil
}

func captureInterface(side Side) pcapgo.NgInterface {
	return pcapgo.NgInterface{Name: side.String(), OS: "linux", LinkType: layers.LinkTypeRaw, SnapLength: 0, TimestampResolution: 9}
}

// sighting is a packet as one end saw it.
type sighting struct {
	at     time.Duration
	by     Side
	packet *Packet
}

// sightings are in the order of their times; at the same time, in the order of sending.
func sightings(packets []*Packet) []sighting {
	var all []sighting
	for _, p := range packets {
		if !p.Injected {
			all = append(all, sighting{p.Sent, p.From, p})
		}
		for _, at := range p.Arrived {
			all = append(all, sighting{at, p.From.other(), p})
		}
	}
	slices.SortStableFunc(all, func(a, b sighting) int { return cmp.Compare(a.at, b.at) })
	return all
}
