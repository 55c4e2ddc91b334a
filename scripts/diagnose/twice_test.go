package main

import (
	"testing"
	"time"
)

// A packet is a copy if the SYN of its connection came as often within a millisecond.
func TestCopies(t *testing.T) {
	type seen struct {
		ip   string
		at   time.Duration
		copy bool
	}
	routed := syn4[:8] + "\x3f" + syn4[9:10] + "\x12\x34" + syn4[12:]
	const us = time.Microsecond
	for _, c := range []struct {
		name    string
		packets []seen
	}{
		{"each once", []seen{{syn4, 0, false}, {rst4, 10 * us, false}}},
		{"RSTs that are alike", []seen{{syn4, 0, false}, {rst4, 10 * us, false}, {rst4, 20 * us, false}, {rst4, 30 * us, false}}},
		{"a SYN again", []seen{{syn4, 0, false}, {syn4, time.Second, false}, {rst4, time.Second + us, false}, {rst4, time.Second + 2*us, false}}},
		{"each twice", []seen{{syn4, 0, false}, {syn4, 10 * us, true}, {rst4, 20 * us, false}, {rst4, 30 * us, true}}},
		{"each twice, routed in between", []seen{{syn4, 0, false}, {routed, 10 * us, true}, {rst4, 20 * us, false}, {rst4, 30 * us, true}}},
		{"each twice, and two RSTs", []seen{{syn4, 0, false}, {syn4, us, true}, {rst4, 20 * us, false}, {rst4, 30 * us, true}, {rst4, 40 * us, false}, {rst4, 50 * us, true}}},
		{"each three times", []seen{{syn4, 0, false}, {syn4, us, true}, {syn4, 2 * us, true}, {rst4, 20 * us, false}, {rst4, 30 * us, true}, {rst4, 40 * us, true}, {rst4, 50 * us, false}}},
		{"too late for a copy", []seen{{syn4, 0, false}, {syn4, us, true}, {rst4, 10 * us, false}, {rst4, 1100 * us, false}}},
		{"over a millisecond's end", []seen{{syn4, 0, false}, {syn4, us, true}, {rst4, 990 * us, false}, {rst4, 1010 * us, true}}},
		{"a SYN again, each twice", []seen{{syn4, 0, false}, {syn4, us, true}, {syn4, time.Second, false}, {syn4, time.Second + us, true}}},
		{"another connection's, which began before", []seen{{syn6, 0, false}, {syn6, us, true}, {rst4, 10 * us, false}, {rst4, 20 * us, true}}},
		{"another connection's, which came once", []seen{{syn6, 0, false}, {syn6, us, true}, {syn4, 5 * us, false}, {rst4, 10 * us, false}, {rst4, 20 * us, false}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			copies, want := newCopies(), 0
			for i, p := range c.packets {
				g, ok := look([]byte(p.ip))
				if got := copies.again([]byte(p.ip), g, p.at); !ok || got != p.copy {
					t.Errorf("packet %d is a copy: %v, want %v", i, got, p.copy)
				}
				if p.copy {
					want++
				}
			}
			if copies.left != want {
				t.Errorf("%d packets were left out, want %d", copies.left, want)
			}
		})
	}
}
