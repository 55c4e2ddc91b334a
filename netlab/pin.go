package netlab

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"sync"
)

// defaultSomaxconn is the kernel's since 5.4; it was 128 before.
const defaultSomaxconn = 4096

// pin is a sysctl with the value that each host starts with, whatever the machine
// or the kernel version has.
type pin struct{ key, value string }

// pins are the sysctls that the suite depends on. A key that this kernel does not
// have is left out. Most are then as the value says; but before 6.5, which has no
// linear time-outs, the SYN retries after the first come later.
//
// Source, checked on v6.18: Documentation/networking/ip-sysctl.rst for the keys,
// tcp_sk_init (net/ipv4/tcp_ipv4.c) for what a namespace copies from the machine.
var pins = []pin{
	{"net.core.somaxconn", strconv.Itoa(defaultSomaxconn)},
	{"net.ipv4.tcp_abort_on_overflow", "0"},
	{"net.ipv4.tcp_syncookies", "1"},
	{"net.ipv4.tcp_max_syn_backlog", "4096"}, // depends on the machine's memory
	{"net.ipv4.tcp_syn_retries", "6"},
	{"net.ipv4.tcp_synack_retries", "5"},
	{"net.ipv4.tcp_syn_linear_timeouts", "4"},
	{"net.ipv4.tcp_migrate_req", "0"},
	{"net.ipv4.tcp_fastopen", "1"},
	{"net.ipv4.tcp_timestamps", "1"},
	{"net.ipv4.tcp_tw_reuse", "2"},
	{"net.ipv4.tcp_no_metrics_save", "1"},        // a remembered peer is exempt from a rule of the SYN queue
	{"net.ipv4.tcp_congestion_control", "reno"},  // copied from the machine; reno is always built in
	{"net.ipv4.tcp_rmem", "4096 131072 6291456"}, // copied from the machine
	{"net.ipv4.tcp_wmem", "4096 16384 4194304"},  // copied from the machine
	{"net.ipv4.ip_local_port_range", "32768 60999"},
	{"net.ipv4.conf.all.rp_filter", "0"}, // copied from the machine, as are those below
	{"net.ipv4.conf.default.rp_filter", "0"},
	{"net.ipv4.conf.all.arp_ignore", "0"},
	{"net.ipv4.conf.default.arp_ignore", "0"},
	{"net.ipv4.conf.all.arp_announce", "0"},
	{"net.ipv4.conf.default.arp_announce", "0"},
	{"net.ipv6.conf.all.disable_ipv6", "0"},      // copied from the machine
	{"net.ipv6.conf.default.disable_ipv6", "0"},  // copied from the machine
	{"net.ipv6.conf.default.addr_gen_mode", "1"}, // no link-local address, whose duplicate detection takes a second
}

// needed are the pins that a fresh namespace does not have by itself. The first
// namespace of the process is asked, for all of them: to write every pin into
// every namespace would take as long as making it.
var needed = sync.OnceValues(func() ([]pin, error) {
	var differ []pin
	for _, p := range pins {
		value, err := readSysctl(p.key)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", p.key, err)
		}
		if value != p.value {
			differ = append(differ, p)
		}
	}
	return differ, nil
})

// pinSysctls sets the pins in the fresh namespace that the calling thread is in.
func pinSysctls() error {
	missing, err := needed()
	if err != nil {
		return err
	}
	for _, p := range missing {
		if err := writeSysctl(p.key, p.value); err != nil {
			return fmt.Errorf("pin %s = %q: %w", p.key, p.value, err)
		}
	}
	return nil
}
