package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gopacket/gopacket/layers"
)

// A capture that was cut off is read as far as it goes.
func TestCutOff(t *testing.T) {
	whole := pcap(t, layers.LinkTypeRaw, syn4, rst4)
	record := 16 + len(rst4)
	for name, file := range map[string][]byte{
		"in the data": whole[:len(whole)-1], "in the record's header": whole[:len(whole)-record+3],
		"before the data": whole[:len(whole)-len(rst4)],
	} {
		got, notes := shapesOf(t, file)
		if want := []string{"the capture is cut off after 1 packets"}; !slices.Equal(got, []string{">S"}) || !slices.Equal(notes, want) {
			t.Errorf("%s: the flows are %q and the notes %q, want one SYN and %q", name, got, notes, want)
		}
	}
	if got, notes := shapesOf(t, whole[:len(whole)-record]); !slices.Equal(got, []string{">S"}) || notes != nil {
		t.Errorf("after a record: the flows are %q and the notes %q, want one SYN", got, notes)
	}
	broken := append(bytes.Clone(whole), bytes.Repeat([]byte{0xff}, 16)...)
	if _, notes := shapesOf(t, broken); len(notes) != 1 || !strings.HasPrefix(notes[0], "the capture is broken after 2 packets") {
		t.Errorf("broken: the notes are %q", notes)
	}
}

// Wherever a gzip file is cut off, it is said: what is left of a capture is a report with
// a note, and what is left of its header a sentence.
func TestCutOffGzip(t *testing.T) {
	for name, plain := range map[string][]byte{"pcap": pcap(t, layers.LinkTypeRaw, syn4, rst4), "pcapng": pcapng(t, layers.LinkTypeRaw, layers.LinkTypeRaw)} {
		whole, partly := zipped(t, plain), 0
		for n := 2; n < len(whole); n++ {
			c, err := read(bytes.NewReader(whole[:n]))
			if err != nil {
				if !errors.Is(err, errCut) || partly > 0 {
					t.Errorf("%s, %d of %d bytes: %v, want %v", name, n, len(whole), err, errCut)
				}
				continue
			}
			partly++
			if want := []string{fmt.Sprintf("the capture is cut off after %d packets", c.records)}; !slices.Equal(c.notes, want) {
				t.Errorf("%s, %d of %d bytes: the notes are %q, want %q", name, n, len(whole), c.notes, want)
			}
		}
		if partly == 0 {
			t.Errorf("%s: no cut left anything of the capture", name)
		}
	}
}
