package witness

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab"
)

// Frames are aligned, lie one after another and do not cross blocks; there is room for as
// many as asked for.
func TestLayout(t *testing.T) {
	t.Parallel()
	for _, snapLength := range []int{1, 128, 1500, maxSnapLength} {
		for _, packets := range []int{1, 7, 630, 631, 65536} {
			l := layoutFor(packets, snapLength)
			if l.frames() < packets || l.frames()-packets >= l.perBlock || l.frame%16 != 0 || l.frame < packetOffset+snapLength {
				t.Errorf("layoutFor(%d, %d) = %+v with %d frames", packets, snapLength, l, l.frames())
			}
			end := 0
			for i := range l.frames() {
				at := l.offset(i)
				if last := at + l.frame - 1; at < end || last/blockSize != at/blockSize || last >= l.blocks*blockSize {
					t.Fatalf("layoutFor(%d, %d): frame %d is at %d, after one that ends at %d", packets, snapLength, i, at, end)
				}
				end = at + l.frame
			}
		}
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	if got, err := (Config{}).withDefaults(); got != (Config{128, 65536, false, 5 * time.Millisecond, false}) || err != nil {
		t.Errorf("defaults are %+v, %v", got, err)
	}
	if got, err := (Config{SnapLength: 65535}).withDefaults(); got.MaxPackets != 128 || err != nil {
		t.Errorf("with the longest snap length MaxPackets is %d, %v; want 128", got.MaxPackets, err)
	}
	for _, c := range []struct {
		config Config
		want   string
	}{
		{Config{SnapLength: -1}, "SnapLength is -1, want 0 to 65535 bytes"},
		{Config{SnapLength: 65536}, "SnapLength is 65536, want 0 to 65535 bytes"},
		{Config{MaxPackets: -1}, "MaxPackets is -1, want 0 to 5160960, which fill 1 GiB"},
		{Config{SnapLength: 65535, MaxPackets: 8193}, "MaxPackets is 8193, want 0 to 8192, which fill 1 GiB"},
		{Config{Interval: -1}, "the Interval is -1ns, want zero or more"},
	} {
		if _, err := record(t, c.config, nil); fmt.Sprint(err) != c.want {
			t.Errorf("record with %+v: %v, want %s", c.config, err, c.want)
		}
	}
}

// An interface that does not exist is refused, and nothing stays open.
func TestNoSuchInterface(t *testing.T) {
	t.Parallel()
	client, _ := netlab.New(t).Pair()
	cfg, err := Config{}.withDefaults()
	must(t, err)
	if _, err := openRing(client, "eth9", cfg); err == nil || err.Error() != "record eth9: route ip+net: no such network interface" {
		t.Errorf("openRing of eth9: %v", err)
	}
}

func TestNoteDrained(t *testing.T) {
	t.Parallel()
	const line = "0389bebf 00000000 00000006 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 %08x 00000000\n"
	drained := map[int]bool{}
	for i, c := range []struct {
		lengths []any
		want    bool
	}{
		{[]any{1, 16}, false}, {[]any{0, 16}, false}, {[]any{5, 1}, false}, {[]any{5, 0}, true}, // each was seen empty once
	} {
		if got := noteDrained(fmt.Sprintf(line+line, c.lengths...), drained); got != c.want {
			t.Errorf("look %d at %v: %v, want %v", i, c.lengths, got, c.want)
		}
	}
	if !noteDrained("0389bebf 00000000 00000006\n", map[int]bool{}) {
		t.Error("a kernel that does not tell its backlog is waited for")
	}
}

func TestCloseTwice(t *testing.T) {
	t.Parallel()
	r := &ring{fd: -1}
	if err := errors.Join(r.close(), r.close()); err != nil {
		t.Errorf("close of what is closed: %v", err)
	}
}
