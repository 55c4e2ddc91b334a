package witness

import "github.com/rstlab/rstlab/netlab"

// decisive are the sysctls that decide what becomes of a connection.
var decisive = []string{
	"net.core.somaxconn",
	"net.ipv4.tcp_abort_on_overflow",
	"net.ipv4.tcp_fastopen",
	"net.ipv4.tcp_max_syn_backlog",
	"net.ipv4.tcp_migrate_req",
	"net.ipv4.tcp_syn_retries",
	"net.ipv4.tcp_synack_retries",
	"net.ipv4.tcp_syncookies",
	"net.ipv4.tcp_timestamps",
	"net.ipv4.tcp_tw_reuse",
}

// readSysctls reads them in the host. One that this kernel or a user namespace does not
// show is left out.
func readSysctls(h *netlab.Host) map[string]string {
	values := map[string]string{}
	for _, key := range decisive {
		if value, err := h.ReadSysctl(key); err == nil {
			values[key] = value
		}
	}
	return values
}
