package servers

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func somaxconn(t *testing.T) uint32 {
	t.Helper()
	text, err := os.ReadFile("/proc/sys/net/core/somaxconn")
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(n)
}

func TestSetBacklog(t *testing.T) {
	ln := listen(t)
	largest := somaxconn(t)
	for _, n := range []int{0, 1, 16, int(largest) - 1, int(largest), int(largest) + 1, 1 << 30, -1, -2, 5} {
		want := largest
		if n >= 0 {
			want = min(uint32(n), largest)
		}
		if err := ln.SetBacklog(n); err != nil {
			t.Fatalf("SetBacklog(%d): %v", n, err)
		}
		if _, limit, err := ln.Queue(); limit != want || err != nil {
			t.Errorf("after SetBacklog(%d): limit %d (%v), want %d", n, limit, err, want)
		}
	}
}

func TestSetBacklogEvictsNothing(t *testing.T) {
	ln := listen(t)
	dial(t, ln, 8)
	waitQueue(t, ln, 8)
	if err := ln.SetBacklog(2); err != nil {
		t.Fatal(err)
	}
	if length, limit, err := ln.Queue(); length != 8 || limit != 2 || err != nil {
		t.Errorf("Queue = %d, %d, %v, want 8, 2, nil", length, limit, err)
	}
	a := acceptFrom(t, ln)
	a.wait(t, 8)
}

// The queue holds limit+1 connections, as Queue says.
func TestQueueHoldsLimitPlusOne(t *testing.T) {
	ln := listen(t)
	if err := ln.SetBacklog(4); err != nil {
		t.Fatal(err)
	}
	dial(t, ln, 5)
	waitQueue(t, ln, 5)
}

func TestSetDeferAcceptReadsBack(t *testing.T) {
	ln := listen(t)
	for _, tt := range []struct {
		d    time.Duration
		want int // seconds, as the kernel rounds
	}{
		{time.Nanosecond, 1}, {time.Second, 1},
		{time.Second + 1, 3}, {3 * time.Second, 3},
		{4 * time.Second, 7}, {8 * time.Second, 15},
		{0, 0}, {-time.Second, 0},
	} {
		t.Run(fmt.Sprint(tt.d), func(t *testing.T) {
			if err := ln.SetDeferAccept(tt.d); err != nil {
				t.Fatal(err)
			}
			var got int
			err := ln.control(func(fd int) (err error) {
				got, err = unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT)
				return err
			})
			if got != tt.want || err != nil {
				t.Errorf("TCP_DEFER_ACCEPT = %d s (%v), want %d", got, err, tt.want)
			}
		})
	}
}

// On loopback a handshake is over when dial returns, so the queue is read at once.
func TestSetDeferAcceptWaitsForData(t *testing.T) {
	ln := listen(t)
	if err := ln.SetDeferAccept(time.Minute); err != nil {
		t.Fatal(err)
	}
	conn := dial(t, ln, 1)[0]
	if length, _, err := ln.Queue(); length != 0 || err != nil {
		t.Errorf("before data: queue length %d (%v), want 0", length, err)
	}
	if _, err := conn.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	waitQueue(t, ln, 1)
}
