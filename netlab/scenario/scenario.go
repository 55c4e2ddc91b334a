package scenario

import (
	"strconv"
	"time"
)

// Scenario is one listener, its settings and its clients: all that decides how a
// full accept queue shows. The same value is computed by netlab/predict and played
// on the real kernel by netlab/wire, and both answer with the same [Outcome].
//
// Start from [Defaults]: the zero value is a kernel with every sysctl at zero and
// no clients, which is invalid. All times count from the start of the run.
type Scenario struct {
	Arrivals Arrivals      // when the clients connect; at least one client
	RTT      time.Duration // round-trip time, half of it each way; zero: a packet arrives before anything else happens

	Backlog         int  // argument of listen(2); the kernel takes it as unsigned, so -1 means somaxconn
	Somaxconn       int  // net.core.somaxconn of the server
	AbortOnOverflow bool // net.ipv4.tcp_abort_on_overflow of the server
	SYNCookies      int  // net.ipv4.tcp_syncookies of the server: 0 off, 1 when the SYN queue is full, 2 always
	MaxSYNBacklog   int  // net.ipv4.tcp_max_syn_backlog of the server; matters with SYNCookies 0 only
	SYNACKRetries   int  // net.ipv4.tcp_synack_retries of the server; matters with a Horizon only

	Accept        Accept         // how the server's program accepts
	ListenAgain   []Listen       // further calls of listen(2) on the live socket, in the order of their times
	CloseListener *time.Duration // when the server closes the listener; nil: never
	SYNCookiesOff *time.Duration // when tcp_syncookies is set to 0; nil: never

	Write *time.Duration // when a client writes its first byte, after its connect completed; nil: never
	IPv6  bool           // over IPv6 instead of IPv4

	// Horizon is the end of a run that also plays the kernel's timers: SYN and
	// SYN-ACK retries and the expiry of requests. Zero: the timers stand still, and
	// the run ends when nothing more can happen.
	Horizon time.Duration
}

// Listen is a call of listen(2) on a socket that listens already. It changes the
// limit and evicts nobody.
type Listen struct {
	At      time.Duration
	Backlog int // as in Scenario
}

// Defaults is a scenario with the sysctls of a lab's host, which are those of a
// recent kernel, and without clients.
func Defaults() Scenario {
	return Scenario{Somaxconn: 4096, SYNCookies: 1, MaxSYNBacklog: 4096, SYNACKRetries: 5}
}

// Limit is the limit of the accept queue after a listen(2) with this backlog: the
// smaller of the backlog, taken as unsigned, and somaxconn.
//
// Source, checked on v6.18: __sys_listen_socket (net/socket.c).
func (s Scenario) Limit(backlog int) uint32 {
	return uint32(min(uint64(uint32(backlog)), uint64(s.Somaxconn)))
}

// SYNCookiesKey is the sysctl of SYNCookies, and of SYNCookiesOff later.
const SYNCookiesKey = "net.ipv4.tcp_syncookies"

// Sysctls are the values that the server's sysctls have at the start, by their dotted
// names.
func (s Scenario) Sysctls() map[string]string {
	abort := 0
	if s.AbortOnOverflow {
		abort = 1
	}
	return map[string]string{
		"net.core.somaxconn":             strconv.Itoa(s.Somaxconn),
		"net.ipv4.tcp_abort_on_overflow": strconv.Itoa(abort),
		SYNCookiesKey:                    strconv.Itoa(s.SYNCookies),
		"net.ipv4.tcp_max_syn_backlog":   strconv.Itoa(s.MaxSYNBacklog),
		"net.ipv4.tcp_synack_retries":    strconv.Itoa(s.SYNACKRetries),
	}
}

// Settled is when every client's first handshake is over: two round trips after the
// last arrival.
func (s Scenario) Settled() time.Duration { return s.Arrivals.Last() + 2*s.RTT }
