package diagnose

import (
	"encoding/binary"
	"encoding/json"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// packetsFrom cuts a text into packets: each is preceded by its length and by the
// milliseconds since the one before, of which some are negative.
func packetsFrom(text []byte) []scenario.Packet {
	var all []scenario.Packet
	at := time.Duration(0)
	for len(text) >= 3 {
		n, pause := int(text[0]), int16(binary.BigEndian.Uint16(text[1:]))
		text = text[3:]
		n = min(n, len(text))
		at += time.Duration(pause) * time.Millisecond
		all = append(all, scenario.Packet{At: at, Data: text[:n], Length: n})
		text = text[n:]
	}
	return all
}

func textOf(packets []scenario.Packet) []byte {
	var text []byte
	at := time.Duration(0)
	for _, p := range packets {
		text = append(text, byte(len(p.Data)))
		text = binary.BigEndian.AppendUint16(text, uint16(int16((p.At-at)/time.Millisecond)))
		text = append(text, p.Data...)
		at = p.At
	}
	return text
}

// Any packets at two hosts, with or without counters, give a report: every flow has
// candidates, the first of which is its cause, and nothing that was ruled out is left.
func FuzzRun(f *testing.F) {
	for _, say := range []string{
		">S <S. >. <R", ">S <R.", ">S !3", ">S (1s) >S", ">S <S. >. >P. <. <F. >. >P. <R", ">P. <R", "<P. >. <R.", ">R", "<R",
		">S <S. >. (1s) <S. >. <R", ">S <. >R (1s) >S <S. >.", ">S <S. >. >P. <. >P. (200ms) >P.= (400ms) >P.=",
	} {
		text := textOf(newTalk().say(say).packets)
		f.Add(text, text, uint8(1))
		f.Add(text, []byte{}, uint8(6))
	}
	f.Fuzz(func(t *testing.T, one, two []byte, knobs uint8) {
		e := scenario.Evidence{Hosts: []scenario.Witnessed{{Host: "one", Packets: packetsFrom(one)}, {Host: "two", Packets: packetsFrom(two)}}}
		if knobs&1 != 0 {
			e.Hosts[0].Addrs = []netip.Addr{clientEnd.Addr()}
		}
		if knobs&2 != 0 {
			e.Hosts[1].Addrs = []netip.Addr{serverEnd.Addr()}
		}
		if knobs&4 != 0 {
			e.Hosts[1].Counters = samples("OutRsts", []time.Duration{0, time.Second}, 1, uint64(knobs))
			e.Hosts[1].Queues = []scenario.QueueSample{queue(0, 1, uint32(knobs), 0, false), queue(time.Second, 1, 0, 1, knobs&8 != 0)}
		}
		check(t, Run(e))
	})
}

// check holds a report to what holds for every report.
func check(t *testing.T, r Report) {
	t.Helper()
	flows := 0
	for _, f := range r.Flows {
		if len(f.Candidates) == 0 || f.Candidates[0] != f.Cause || f.Grade == "" || f.Shape == "" || len(f.For) == 0 {
			t.Errorf("flow %s is %+v", f.Name, f)
		}
		for _, x := range f.RuledOut {
			if slices.Contains(f.Candidates, x.Cause) || x.Why == "" {
				t.Errorf("flow %s has %s ruled out (%q) and the candidates %v", f.Name, x.Cause, x.Why, f.Candidates)
			}
		}
		if f.Last < f.First {
			t.Errorf("flow %s ends at %v, before its begin at %v", f.Name, f.Last, f.First)
		}
	}
	for _, c := range r.Summary.Causes {
		flows += c.Flows
	}
	if flows != len(r.Flows) {
		t.Errorf("the causes have %d flows, want %d", flows, len(r.Flows))
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
}
