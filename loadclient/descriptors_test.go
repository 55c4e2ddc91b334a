package loadclient

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func swarmOf(clients int) Config {
	return Config{Clients: clients}.withDefaults()
}

func TestTooFewDescriptors(t *testing.T) {
	t.Parallel()
	err := swarmOf(1 << 40).reserveDescriptors()
	if err == nil {
		t.Fatal("reserveDescriptors() for 1<<40 clients = nil, want an error")
	}
	var clients, need, room, typed uint64
	const form = "%d clients need %d descriptors, and the limit leaves room for %d: type `ulimit -n %d` first"
	if _, scanned := fmt.Sscanf(err.Error(), form, &clients, &need, &room, &typed); scanned != nil {
		t.Fatalf("reserveDescriptors() = %q, want the form %q", err, form)
	}
	if clients != 1<<40 || need <= 2*clients || 2*room >= need || typed != need {
		t.Errorf("reserveDescriptors() = %q, want need above 2 per client, room for less, and need to type", err)
	}
}

// TestReserveDescriptors grows the table and leaves nothing open in it.
func TestReserveDescriptors(t *testing.T) {
	const clients = 150 // few enough for the customary limit of 1024
	before := openDescriptors(t)
	if err := swarmOf(clients).reserveDescriptors(); err != nil {
		t.Fatalf("reserveDescriptors() = %v", err)
	}
	if after := openDescriptors(t); after != before {
		t.Errorf("%d descriptors are open, want %d as before", after, before)
	}
	if got, want := tableSize(t), 2*clients+before; got < want {
		t.Errorf("descriptor table has %d entries, want room for %d", got, want)
	}
}

// openDescriptors counts the process's descriptors, without the one it reads
// them through.
func openDescriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatalf("count descriptors: %v", err)
	}
	return len(entries) - 1
}

// tableSize is the FDSize of /proc/self/status: "FDSize:\t256".
func tableSize(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatalf("read table size: %v", err)
	}
	_, rest, _ := strings.Cut(string(text), "FDSize:")
	var size int
	if _, err := fmt.Sscan(rest, &size); err != nil {
		t.Fatalf("parse FDSize: %v", err)
	}
	return size
}
