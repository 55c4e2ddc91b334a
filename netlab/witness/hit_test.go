package witness

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// traceText is what Linux 6.18 prints, with a process that is called "a: b [0]".
const traceText = `    witness.test-8258    [001] ..s1.  4026.596866: tcp_send_reset: skbaddr=00000000fba212be skaddr=0000000000000000 src=198.18.0.2:8081 dest=198.18.0.1:44686 state=UNKNOWN reason=NO_SOCKET
        a: b [0]-8258    [001] .Ns1.  4026.597854: kfree_skb: skbaddr=00000000fba212be rx_sk=0000000000000000 protocol=2048 location=tcp_v4_rcv+0x91/0x13f0 reason: NO_SOCKET
CPU:1 [LOST 3 EVENTS]
    witness.test-8258    [001] b..1.  4026.599014: tcp_send_reset: skbaddr=0000000000000000 skaddr=0000000020f7e653 src=[2001:2::2]:8080 dest=[2001:2::1]:47904 state=TCP_CLOSE reason=TCP_STATE
    witness.test-8258    [000] ..s1.  4026.599015: tcp_send_reset: skbaddr=00000000a71dfb77 skaddr=00000000038422a8 src=198.18.0.2:8080 dest=0.0.0.0:0 state=TCP_LISTEN reason=INVALID_SYN
    witness.test-8258    [001] b..1.  4026.599: kfree_skb: skbaddr=0000000000000001 protocol=2048 location=tcp_v4_rcv+0x91/0x13f0
    witness.test-8258    [001] b..1.  4027.000001: kfree_skb: skbaddr=0000000000000001 protocol=2048 location=tcp_v4_rcv+0x91/0x13f0
`

var traceHits = []hit{
	{scenario.KernelReason{At: 4026596866 * time.Microsecond, Event: sendReset, Reason: "NO_SOCKET", State: "UNKNOWN",
		Local: netip.MustParseAddrPort("198.18.0.2:8081"), Remote: netip.MustParseAddrPort("198.18.0.1:44686")}, "00000000fba212be", ""},
	{scenario.KernelReason{At: 4026597854 * time.Microsecond, Event: freeSKB, Reason: "NO_SOCKET"}, "00000000fba212be", "tcp_v4_rcv+0x91/0x13f0"},
	{scenario.KernelReason{At: 4026599014 * time.Microsecond, Event: sendReset, Reason: "TCP_STATE", State: "TCP_CLOSE",
		Local: netip.MustParseAddrPort("[2001:2::2]:8080"), Remote: netip.MustParseAddrPort("[2001:2::1]:47904")}, "0000000000000000", ""},
	{scenario.KernelReason{At: 4026599015 * time.Microsecond, Event: sendReset, Reason: "INVALID_SYN", State: "TCP_LISTEN",
		Local: netip.MustParseAddrPort("198.18.0.2:8080")}, "00000000a71dfb77", ""},
	{scenario.KernelReason{At: 4027000001 * time.Microsecond, Event: freeSKB}, "0000000000000001", "tcp_v4_rcv+0x91/0x13f0"},
}

func TestParseTrace(t *testing.T) {
	t.Parallel()
	if got := parseTrace(traceText); !slices.Equal(got, traceHits) {
		t.Errorf("the trace says\n%+v, want\n%+v", got, traceHits)
	}
}

func TestInWindow(t *testing.T) {
	t.Parallel()
	at := func(at time.Duration) hit { return hit{KernelReason: scenario.KernelReason{At: at}} }
	got := inWindow([]hit{at(8999), at(9001), at(10000), at(15000), at(15001)}, 10000, 5000)
	if want := []hit{at(0), at(0), at(5000)}; !slices.Equal(got, want) {
		t.Errorf("in the window are %+v, want %+v", got, want)
	}
}

func TestTelling(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{
		`__print_symbolic(REC->reason, { 2, "NOT_SPECIFIED" }, { 3, "NO_SOCKET" }, { 7, "UNIX_DISCONNECT" }, { 12, "NETFILTER_DROP" }, { 40, "TCP_LISTEN_OVERFLOW" })`: "reason == 3 || reason == 12 || reason == 40",
		`print fmt: "skbaddr=%p protocol=%u location=%p"`: "protocol == 0x800 || protocol == 0x86dd",
	} {
		if got := telling(format); got != want {
			t.Errorf("telling(%q) = %q, want %q", format, got, want)
		}
	}
}

// packetOf is an IPv4 packet with a TCP header that says little.
func packetOf(at time.Duration, source, target netip.AddrPort, flags scenario.Flags) scenario.Packet {
	data := make([]byte, 40)
	data[0], data[9] = 0x45, scenario.ProtocolTCP
	copy(data[12:], source.Addr().AsSlice())
	copy(data[16:], target.Addr().AsSlice())
	data[20], data[21] = byte(source.Port()>>8), byte(source.Port())
	data[22], data[23] = byte(target.Port()>>8), byte(target.Port())
	data[32], data[33] = 5<<4, byte(flags)
	return scenario.Packet{At: at, Data: data, Length: len(data)}
}

// Of two events with the same addresses the RST takes the nearer one; a drop goes with
// the reset of its packet, and is nobody's without one.
func TestAttribute(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	server, client := netip.MustParseAddrPort("198.18.0.2:8080"), netip.MustParseAddrPort("198.18.0.1:40000")
	reset := func(at time.Duration, skb string) hit {
		return hit{scenario.KernelReason{At: at, Event: sendReset, Reason: "INVALID_SYN", Local: server, Remote: client}, skb, ""}
	}
	drop := func(at time.Duration, skb, reason, location string) hit {
		return hit{scenario.KernelReason{At: at, Event: freeSKB, Reason: reason}, skb, location}
	}
	evidence := func(letGo int) []scenario.Witnessed {
		return []scenario.Witnessed{
			{Host: "client", Addrs: []netip.Addr{client.Addr()}, Packets: []scenario.Packet{
				packetOf(10*ms, client, server, 0), packetOf(10*ms+8000, server, client, scenario.RST)}},
			{Host: "server", Addrs: []netip.Addr{server.Addr()}, LetGo: letGo, Packets: []scenario.Packet{
				packetOf(10*ms+1000, client, server, 0), packetOf(10*ms+5000, server, client, scenario.RST)}},
		}
	}
	hits := func() []hit {
		return []hit{
			drop(5*ms, "z", "TCP_FLAGS", "tcp_v4_rcv+1"), // nobody had a packet
			reset(10*ms+9000, "foreign"),
			reset(10*ms+4000, "ours"),
			drop(10*ms+2000, "a", "TCP_FLAGS", "tcp_rcv_established+1"),
			drop(10*ms+6000, "ours", "TCP_LISTEN_OVERFLOW", "tcp_v4_rcv+1"),
			drop(10*ms+9500, "foreign", "TCP_LISTEN_OVERFLOW", "tcp_v4_rcv+1"),
			drop(10*ms+6500, "b", "NO_SOCKET", "udp_queue_rcv_skb+1"),
			drop(10*ms+9800, "c", "NETFILTER_DROP", "nf_hook_slow+1"),
		}
	}
	ours := reset(10*ms+4000, "").KernelReason
	caused := drop(10*ms+6000, "", "TCP_LISTEN_OVERFLOW", "").KernelReason
	caused.Local, caused.Remote = server, client
	hosts := evidence(0)
	attribute(hits(), hosts)
	if got, want := hosts[1].Reasons, []scenario.KernelReason{ours, caused}; !slices.Equal(got, want) {
		t.Errorf("the server's reasons are\n%+v, want\n%+v", got, want)
	}
	if got := hosts[0].Reasons; got == nil || len(got) != 0 {
		t.Errorf("the client's reasons are\n%+v, want an empty list", got)
	}
	hosts = evidence(1)
	attribute(hits(), hosts)
	if got := len(hosts[1].Reasons); got != 4 {
		t.Errorf("%d reasons when packets were let go, want all four with the server's address: %+v", got, hosts[1].Reasons)
	}
}
