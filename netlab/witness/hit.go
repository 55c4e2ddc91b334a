package witness

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// hit is one event of the trace.
type hit struct {
	scenario.KernelReason        // its time counts from the machine's start until inWindow
	skb                   string // which packet, by its scrambled address; all zero if there was none
	location              string // kfree_skb: the function that freed the packet
}

// below are the reasons that tell something although it is not TCP that gives them:
// firewalls, and full queues below IP.
var below = []string{"NETFILTER_DROP", "CPU_BACKLOG", "NEIGH_QUEUEFULL", "NEIGH_FAILED"}

// shared are the reasons that TCP has in common with other protocols.
var shared = []string{
	"NO_SOCKET", "SOCKET_CLOSE", "SOCKET_FILTER", "SOCKET_RCVBUFF", "SOCKET_BACKLOG", "PROTO_MEM", "NOMEM",
}

// ofTCP tells whether a drop has to do with TCP: by its reason, or, for one that is shared
// or none at all, by the function that dropped the packet.
func (h hit) ofTCP() bool {
	return strings.HasPrefix(h.Reason, "TCP_") || slices.Contains(below, h.Reason) ||
		strings.HasPrefix(h.location, "tcp_") || strings.HasPrefix(h.location, "cookie_")
}

// reasonEntry is one of the names that a format file has for the reason's numbers, which
// differ from kernel to kernel: { 40, "TCP_LISTEN_OVERFLOW" }.
var reasonEntry = regexp.MustCompile(`\{ *(\d+), *"([A-Z0-9_]+)" *\}`)

// telling is a filter for kfree_skb that lets the kernel leave out what has nothing to do
// with TCP, by the format file of the event. Before 5.17 the event has no reason: then
// IPv4 and IPv6 pass.
func telling(format string) string {
	var wanted []string
	for _, entry := range reasonEntry.FindAllStringSubmatch(format, -1) {
		if number, name := entry[1], entry[2]; strings.HasPrefix(name, "TCP_") || slices.Contains(slices.Concat(below, shared), name) {
			wanted = append(wanted, "reason == "+number)
		}
	}
	if len(wanted) == 0 {
		return "protocol == 0x800 || protocol == 0x86dd"
	}
	return strings.Join(wanted, " || ")
}

// parseTrace reads the text of trace_pipe; lines that are neither event are skipped.
//
//	server-8258 [001] ..s1. 4026.596866: tcp_send_reset: skbaddr=00000000fba212be skaddr=0000000000000000 src=198.18.0.2:8081 dest=198.18.0.1:44686 state=UNKNOWN reason=NO_SOCKET
//	server-8258 [001] .Ns1. 4026.597854: kfree_skb: skbaddr=00000000fba212be rx_sk=0000000000000000 protocol=2048 location=tcp_v4_rcv+0x91/0x13f0 reason: NO_SOCKET
//
// The name of a process may hold anything, so the line is read from the event on.
func parseTrace(text string) []hit {
	var hits []hit
	for line := range strings.Lines(text) {
		for _, event := range []string{sendReset, freeSKB} {
			before, after, found := strings.Cut(line, ": "+event+": ")
			if !found {
				continue
			}
			if h, err := parseHit(event, before, after); err == nil {
				hits = append(hits, h)
			}
		}
	}
	return hits
}

// parseHit reads an event from the text before its name and that after it.
func parseHit(event, before, after string) (hit, error) {
	at, err := parseSeconds(before[strings.LastIndexByte(before, ' ')+1:])
	if err != nil {
		return hit{}, err
	}
	after = strings.Replace(after, "reason: ", "reason=", 1)
	values := map[string]string{}
	for field := range strings.FieldsSeq(after) {
		name, value, _ := strings.Cut(field, "=")
		values[name] = value
	}
	h := hit{
		KernelReason: scenario.KernelReason{At: at, Event: event, Reason: values["reason"]},
		skb:          values["skbaddr"], location: values["location"],
	}
	if event == freeSKB {
		return h, nil
	}
	h.State = values["state"]
	if h.Local, err = netip.ParseAddrPort(values["src"]); err != nil {
		return hit{}, err
	}
	if h.Remote, err = netip.ParseAddrPort(values["dest"]); h.Remote.Port() == 0 {
		h.Remote = netip.AddrPort{} // a listener has no other end
	}
	return h, err
}

// parseSeconds reads "4026.596866", in which the microseconds always have six digits.
func parseSeconds(text string) (time.Duration, error) {
	seconds, micros, _ := strings.Cut(text, ".")
	s, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || len(micros) != 6 {
		return 0, fmt.Errorf("time of an event is %q, want seconds with six decimals", text)
	}
	us, err := strconv.ParseInt(micros, 10, 64)
	return time.Duration(s)*time.Second + time.Duration(us)*time.Microsecond, err
}

// inWindow keeps the hits from the recording's start, given on the trace's clock, to its
// end, and makes their times count from the start. The trace cuts off less than a
// microsecond, so a hit of the very first one passes for the start.
func inWindow(hits []hit, start, end time.Duration) []hit {
	var kept []hit
	for _, h := range hits {
		if h.At -= start; h.At > -time.Microsecond && h.At <= end {
			h.At = max(0, h.At)
			kept = append(kept, h)
		}
	}
	return kept
}
