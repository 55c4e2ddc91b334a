package scenario

import (
	"maps"
	"net/netip"
	"slices"
	"time"
)

// Evidence is what the witnesses of one run saw. Any part may be missing, and a
// missing part is nil or empty: a capture without counters, counters without a
// capture, one end only.
type Evidence struct {
	Hosts   []Witnessed   `json:"hosts"`
	Clients []ClientError `json:"clients,omitempty"` // what programs were told, in any order
}

// Witnessed is what was seen at one host. All times of one Evidence count from the
// same start.
type Witnessed struct {
	Host  string       `json:"host"`            // its name, such as "server"
	Addrs []netip.Addr `json:"addrs,omitempty"` // its addresses; empty if unknown, as for a capture from elsewhere

	Packets []Packet `json:"packets,omitempty"` // that crossed its interface, in order of their times; nil: no capture
	LetGo   int      `json:"let_go,omitempty"`  // packets that were seen and not kept, for want of memory

	Counters []CounterSample `json:"counters,omitempty"` // in order of their times; at least two, of which the first and the last have all counters, or none
	Queues   []QueueSample   `json:"queues,omitempty"`   // of its listeners, in order of their times; of one time, first those that are gone
	Reasons  []KernelReason  `json:"reasons,omitempty"`  // the kernel's own, in order of their times; nil: not traced

	Log     []LogLine         `json:"log,omitempty"`     // what its programs printed, in order of their times
	Sysctls map[string]string `json:"sysctls,omitempty"` // those that were read, by their dotted names
}

// Packet is one IP packet as it crossed an interface.
type Packet struct {
	At     time.Duration `json:"at_ns"`
	Data   []byte        `json:"data"`   // from the IP header on; cut at the snap length
	Length int           `json:"length"` // bytes that the packet really had
}

// CounterSample is a reading of a host's counters: of all, or of those that tell of
// failed connections.
type CounterSample struct {
	At       time.Duration `json:"at_ns"`
	Counters Counters      `json:"counters"`
}

// QueueSample is a reading of one listener. A reading that tells nothing new may be left
// out, but never that a listener is gone.
//
// Members of SO_REUSEPORT share their address, and the kernel does not tell whose a
// half-open connection is: the SYN queue of one of them has those of all.
type QueueSample struct {
	At       time.Duration  `json:"at_ns"`
	Listener netip.AddrPort `json:"listener"`
	Inode    uint32         `json:"inode"`            // of the socket, which tells two listeners on one address apart; 0: unknown
	Length   uint32         `json:"length"`           // of the accept queue
	Limit    uint32         `json:"limit"`            // of the accept queue; it is full once Length exceeds it
	Drops    uint32         `json:"drops"`            // SO_MEMINFO, sk_drops
	SYNQueue int            `json:"syn_queue"`        // half-open connections; -1: not looked at, which costs more than the rest, or counted with another member
	Members  int            `json:"members,omitzero"` // listeners on its address, itself included; 0: it is alone
	Gone     bool           `json:"gone,omitzero"`    // the listener is not there any more; the rest is its last reading
}

// QueueLog makes samples of readings of one host's listeners. The zero value has none.
type QueueLog struct {
	Samples []QueueSample
	last    map[uint32]QueueSample // of the listeners that are there, by inode; its SYN queue is that of the last look
}

// Note takes the readings of all of the host's listeners at one time, and adds those that
// differ from the last ones, or all. A listener that is not among them any more is gone,
// and comes first, with its last reading.
func (l *QueueLog) Note(at time.Duration, readings []QueueSample, all bool) {
	before := l.last
	l.last = map[uint32]QueueSample{}
	for i := range readings {
		readings[i].At = at
		now := readings[i]
		if last, known := before[now.Inode]; known && now.SYNQueue < 0 {
			now.SYNQueue = last.SYNQueue
		}
		l.last[now.Inode] = now
	}
	for _, inode := range slices.Sorted(maps.Keys(before)) {
		if _, still := l.last[inode]; !still {
			gone := before[inode]
			gone.At, gone.Gone, gone.SYNQueue = at, true, -1
			l.Samples = append(l.Samples, gone)
		}
	}
	for _, q := range readings {
		if last, known := before[q.Inode]; all || !known || q.differs(last) {
			l.Samples = append(l.Samples, q)
		}
	}
}

// differs tells whether a reading of the same listener tells something new.
func (q QueueSample) differs(last QueueSample) bool {
	return q.Length != last.Length || q.Limit != last.Limit || q.Drops != last.Drops || q.Members != last.Members ||
		q.SYNQueue >= 0 && q.SYNQueue != last.SYNQueue
}

// DecisiveSysctls are those that decide what becomes of a connection, by their dotted
// names.
func DecisiveSysctls() []string {
	return []string{
		"net.core.somaxconn",
		"net.ipv4.tcp_abort_on_overflow",
		"net.ipv4.tcp_fastopen",
		"net.ipv4.tcp_max_syn_backlog",
		"net.ipv4.tcp_migrate_req",
		"net.ipv4.tcp_syn_retries",
		"net.ipv4.tcp_synack_retries",
		SYNCookiesKey,
		"net.ipv4.tcp_timestamps",
		"net.ipv4.tcp_tw_reuse",
	}
}

// ClientError is what one client program was told, and when.
type ClientError struct {
	At     time.Duration  `json:"at_ns"`
	Local  netip.AddrPort `json:"local"`
	Remote netip.AddrPort `json:"remote"`
	Phase  string         `json:"phase"`           // dial, write or read
	Errno  string         `json:"errno,omitempty"` // such as ECONNRESET; empty: a time-out of the program's own, or EOF
	Text   string         `json:"text,omitempty"`
}

// LogLine is one line that a program printed.
type LogLine struct {
	At   time.Duration `json:"at_ns"`
	Text string        `json:"text"`
}

// KernelReason is one hit of a kernel tracepoint.
type KernelReason struct {
	At     time.Duration  `json:"at_ns"`
	Event  string         `json:"event"`  // "tcp_send_reset" or "kfree_skb"
	Reason string         `json:"reason"` // by name, such as "TCP_LISTEN_OVERFLOW" or "INVALID_SYN"; empty on kernels that give none
	State  string         `json:"state,omitempty"`
	Local  netip.AddrPort `json:"local,omitzero"` // of the socket, if the tracepoint tells
	Remote netip.AddrPort `json:"remote,omitzero"`
}

// Moved is what a host's counters moved by between the first reading and the last;
// nil if there are fewer than two.
func (w Witnessed) Moved() Counters {
	if len(w.Counters) < 2 {
		return nil
	}
	return w.Counters[len(w.Counters)-1].Counters.Since(w.Counters[0].Counters)
}
