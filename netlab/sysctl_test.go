package netlab

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
)

// Every host starts with every pin that this kernel has, whatever the machine has.
func TestPins(t *testing.T) {
	t.Parallel()
	client, server := New(t).Pair()
	for _, h := range []*Host{client, server} {
		found := 0
		for _, p := range pins {
			value, err := h.ReadSysctl(p.key)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil || value != p.value {
				t.Errorf("host %s: %s is %q, %v; want %q", h.Name(), p.key, value, err, p.value)
			}
			found++
		}
		if found < len(pins)-3 { // somaxconn, linear time-outs and migration are the newest
			t.Errorf("host %s has %d of %d pinned keys", h.Name(), found, len(pins))
		}
	}
}

func TestSysctlIsPerHost(t *testing.T) {
	t.Parallel()
	client, server := New(t).Pair()
	const key = "net.ipv4.tcp_abort_on_overflow"
	server.Sysctl(key, "1")
	for h, want := range map[*Host]string{server: "1", client: "0"} {
		if got, err := h.ReadSysctl(key); got != want || err != nil {
			t.Errorf("host %s: %s is %q, %v; want %q", h.Name(), key, got, err, want)
		}
	}
}

func TestSysctlErrors(t *testing.T) {
	t.Parallel()
	_, server := New(t).Pair()
	hostWide := "sysctl net.core.netdev_max_backlog: host-wide: "
	if rootless() {
		// In a user namespace the process's own network namespace has no host-wide
		// keys either, so they cannot be told from misspelt ones.
		hostWide = "sysctl net.core.netdev_max_backlog: no such key in a network namespace of this kernel"
	}
	for _, c := range []struct{ key, value, want string }{
		{"net.core.netdev_max_backlog", "1", hostWide},
		{"kernel.hostname", "x", "sysctl kernel.hostname: host-wide: the whole machine shares it"},
		{"net.ipv4.tcp_no_such_key", "1", "sysctl net.ipv4.tcp_no_such_key: no such key in a network namespace of this kernel"},
		{"net.ipv4.tcp_available_congestion_control", "x", "sysctl net.ipv4.tcp_available_congestion_control: read-only in a network namespace"},
		{"net.ipv4.tcp_rmem", "x", `sysctl net.ipv4.tcp_rmem: the kernel refuses the value "x"`},
		{"net.ipv4.tcp_rmem", "", "sysctl net.ipv4.tcp_rmem: no value given"},
		{"net/ipv4/tcp_rmem", "x", "sysctl net/ipv4/tcp_rmem: not a sysctl name; write it with dots"},
		{"net.ipv4...tcp_rmem", "x", "sysctl net.ipv4...tcp_rmem: not a sysctl name; write it with dots"},
	} {
		err := server.SetSysctl(c.key, c.value)
		if _, ok := errors.AsType[*SysctlError](err); !ok || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("SetSysctl(%q, %q) = %v\nwant a SysctlError: %s ...", c.key, c.value, err, c.want)
		}
	}
}

func TestReadSysctlOfAWriteOnlyKey(t *testing.T) {
	t.Parallel()
	_, server := New(t).Pair()
	if _, err := server.ReadSysctl("net.ipv4.route.flush"); err == nil || err.Error() != "sysctl net.ipv4.route.flush: write-only" {
		t.Errorf("ReadSysctl of a write-only key: %v", err)
	}
}
