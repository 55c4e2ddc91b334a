package main

import (
	"strings"
	"testing"
)

func TestWorth(t *testing.T) {
	long := strings.Repeat("x", 300)
	icmp := syn4[:9] + "\x01" + syn4[10:]
	options := syn4[:32] + "\x80" + syn4[33:] + strings.Repeat("\x01", 12)
	for _, c := range []struct {
		name, ip string
		want     int
	}{
		{"a SYN", syn4, 40},
		{"data", syn4 + long, 40 + someData},
		{"data behind options", options + long, 52 + someData},
		{"options cut off", options[:45], 45},
		{"a header cut off", syn4[:30], 30},
		{"IPv6 data", syn6 + long, 60 + someData},
		{"ICMP", icmp + long, mostKept},
		{"UDP", syn4[:9] + "\x11" + syn4[10:], 0},
		{"IPv6 UDP", syn6[:6] + "\x11" + syn6[7:], 0},
		{"IPv6 ICMP", syn6[:6] + "\x3a" + syn6[7:] + long, mostKept},
		{"nothing", "", 0},
		{"little", "\x45", 0},
	} {
		if got := worth([]byte(c.ip)); got != c.want {
			t.Errorf("%s is worth %d bytes, want %d", c.name, got, c.want)
		}
	}
}
