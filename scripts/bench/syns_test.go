package main

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

const ms = time.Millisecond

// segment is a packet of a client, without more than its first headers.
func segment(at time.Duration, port uint16, flags scenario.Flags) scenario.Packet {
	data := make([]byte, 40)
	data[0], data[9], data[32], data[33] = 0x45, scenario.ProtocolTCP, 5<<4, byte(flags)
	binary.BigEndian.PutUint16(data[2:], 40)
	binary.BigEndian.PutUint16(data[20:], port)
	return scenario.Packet{At: at, Data: data, Length: 40}
}

func TestFirstSYNs(t *testing.T) {
	packets := []scenario.Packet{
		segment(5*ms, 2, scenario.SYN), segment(3*ms, 1, scenario.SYN), segment(6*ms, 3, scenario.SYN|scenario.ACK),
		segment(7*ms, 1, scenario.ACK), segment(1003*ms, 1, scenario.SYN), {At: ms, Data: []byte("no IP")},
	}
	if got, want := firstSYNs(packets), []time.Duration{3 * ms, 5 * ms}; !slices.Equal(got, want) {
		t.Errorf("first SYNs are at %v, want %v", got, want)
	}
}

func TestWidthAndHole(t *testing.T) {
	if width, hole := widthAndHole([]time.Duration{2 * ms, 3 * ms, 7 * ms, 8 * ms}); width != 6*ms || hole != 4*ms {
		t.Errorf("width and hole are %v, %v, want 6ms, 4ms", width, hole)
	}
	if width, hole := widthAndHole([]time.Duration{2 * ms}); width != 0 || hole != 0 {
		t.Errorf("width and hole of one are %v, %v, want none", width, hole)
	}
}

func TestPace(t *testing.T) {
	times := make([]time.Duration, 200)
	for i := range times {
		times[i] = 5*ms + time.Duration(i)*20*ms
	}
	times[17] -= 7 * ms // two of 200 may be worse
	times[18] += 9 * ms
	times[19] -= 2 * ms
	times[199] += ms
	if p99, drift := pace(times, 20*ms); p99 != 2*ms || drift != ms {
		t.Errorf("p99 error and drift are %v, %v, want 2ms, 1ms", p99, drift)
	}
}
