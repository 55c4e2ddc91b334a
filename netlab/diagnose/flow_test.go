package diagnose

import (
	"net/netip"
	"testing"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// shapes are those of all flows of one capture, in order.
func shapes(packets []scenario.Packet) []string {
	var all []string
	for _, f := range track([]scenario.Witnessed{{Packets: packets}}) {
		h := historyOf(f)
		all = append(all, h.shape())
	}
	return all
}

func TestTrack(t *testing.T) {
	reuse := newTalk().say(">S <S. >. >F. <F. >.")
	reuse.sent = [2]uint32{700000, 900000}
	again := &talk{client: clientEnd, server: serverEnd, step: reuse.step, now: reuse.now, sent: reuse.sent}
	again.packets = append(again.packets, reuse.packets...)
	syn := tcpPacket(clientEnd, serverEnd, scenario.SYN, 700000, 0, "")
	again.add(syn)
	again.add(tcpPacket(serverEnd, clientEnd, scenario.RST|scenario.ACK, 0, 700001, ""))
	for _, c := range []struct {
		name    string
		packets []scenario.Packet
		want    []string
	}{
		{"one", newTalk().say(">S <S. >.").packets, []string{">S <S. >."}},
		{"a SYN again", newTalk().say(">S (1s) >S <S. >.").packets, []string{">S (1s) >S <S. >."}},
		{"the port again", again.packets, []string{">S <S. >. >F. <F. >.", ">S <R."}},
		{"from the middle", newTalk().say(">. >P. <.").packets, []string{">. >P. <."}},
		{"from the middle, the server first", newTalk().say("<P. >. <R").packets, []string{"<P. >. <R"}},
		{"from the SYN-ACK on", newTalk().say("<S. >.").packets, []string{"<S. >."}},
		{"nothing", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := shapes(c.packets)
			if len(got) != len(c.want) {
				t.Fatalf("the flows are %q, want %q", got, c.want)
			}
			for i, want := range c.want {
				if got[i] != want {
					t.Errorf("flow %d is %q, want %q", i, got[i], want)
				}
			}
		})
	}
}

// Who is the client of a flow without a SYN is known from another's, even if its port is
// the lower one.
func TestTrackKnowsServers(t *testing.T) {
	server := netip.MustParseAddrPort("10.0.0.1:50000")
	first := newTalk()
	first.server = server
	first.say(">S <S. >.")
	second := newTalk()
	second.client, second.server = netip.MustParseAddrPort("10.0.0.3:1025"), server
	second.say("<P. >.")
	flows := track([]scenario.Witnessed{{Packets: append(first.packets, second.packets...)}})
	if len(flows) != 2 || flows[0].server != server || flows[1].server != server {
		t.Errorf("the flows are %+v, want two to %v", flows, server)
	}
}

// The two ends' views of a connection belong to one flow.
func TestTrackTwoHosts(t *testing.T) {
	k := newTalk().say(">S <S. >.")
	flows := track([]scenario.Witnessed{{Packets: k.packets}, {Packets: k.packets[:2]}})
	if len(flows) != 1 || len(flows[0].views[0]) != 3 || len(flows[0].views[1]) != 2 {
		t.Errorf("the flows are %+v, want one with views of 3 and 2", flows)
	}
}

func TestFailedByICMP(t *testing.T) {
	for shape, want := range map[string]bool{
		">S !1": true, ">S !1 (1s) >S !1": true, ">S <S. >. >P. !1": true,
		">S <S. >. >P. !1 <.": false, ">S <S. >. >P. !4": false, ">S <R.": false,
	} {
		flows := track(newTalk().say(shape).evidence().Hosts)
		if got := flows[0].failedByICMP(); got != want {
			t.Errorf("%s failed by ICMP: %v, want %v", shape, got, want)
		}
	}
}
