package diagnose

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// crowd is many talks at once, one packet of each at a time.
func crowd(says ...string) []scenario.Packet {
	var talks []*talk
	for i, say := range says {
		k := newTalk()
		k.client = netip.AddrPortFrom(clientEnd.Addr(), clientEnd.Port()+uint16(i))
		talks = append(talks, k.say(say))
	}
	var all []scenario.Packet
	for _, k := range talks {
		all = append(all, k.packets...)
	}
	slices.SortStableFunc(all, func(a, b scenario.Packet) int { return int(a.At - b.At) })
	return all
}

// Flows come in the order of their first packets, and the same evidence always gives the
// same report.
func TestRunOrder(t *testing.T) {
	packets := crowd(">S <S. >. <R", ">S <R.", ">S (1s) >S", ">S <S. >. >P. <.", ">S <R.")
	e := scenario.Evidence{Hosts: []scenario.Witnessed{{Host: "a", Packets: packets}, {Host: "b", Packets: packets}}}
	var first []byte
	for range 10 {
		r := Run(e)
		if !slices.IsSortedFunc(r.Flows, func(a, b Flow) int { return int(a.First - b.First) }) {
			t.Errorf("the flows are not in order: %+v", r.Flows)
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = text
		}
		if !bytes.Equal(text, first) {
			t.Fatalf("two reports on one evidence differ:\n%s\n%s", first, text)
		}
	}
}

func TestRunCounts(t *testing.T) {
	r := Run(scenario.Evidence{Hosts: []scenario.Witnessed{{Packets: crowd(">S <S. >. <R", ">S <R.", ">S <R.", ">S <S. >. >P. <.", ">S (1s) >S <S. >. >P. <.")}}})
	var got []string
	for _, c := range r.Summary.Causes {
		got = append(got, string(c.Cause)+" "+strings.Repeat("|", c.Flows)+strings.Repeat("+", c.Recovered))
	}
	want := []string{"closed-port ||", "accept-overflow-abort |", "accept-overflow-syn |+", "healthy |"}
	if !slices.Equal(got, want) {
		t.Errorf("the causes are %q, want %q", got, want)
	}
	client := netip.MustParseAddrPort("10.0.0.2:40001")
	if f := r.Find(client); f == nil || f.Client != client || f.Cause != ClosedPort {
		t.Errorf("Find(%v) = %+v, want a closed port", client, f)
	}
	if f := r.Find(serverEnd); f != nil {
		t.Errorf("Find(%v) = %+v, want nil", serverEnd, f)
	}
}

func TestRunNotes(t *testing.T) {
	const (
		noCounters = "there are no counters, so what looks alike on the wire cannot be told apart"
		noCapture  = "there is no capture, so counters cannot be given to connections"
		oneEnd     = "one end was captured: whether a packet was lost or injected on the way cannot be told"
		nothing    = "the capture has no TCP connection"
	)
	k := newTalk().say(">S <R.")
	counted := k.atServer(scenario.Counters{"OutRsts": 1}).Hosts[0]
	elsewhere := counted
	elsewhere.Packets = nil
	letGo := counted
	letGo.LetGo = 3
	for _, c := range []struct {
		name  string
		hosts []scenario.Witnessed
		want  []string
	}{
		{"nothing", nil, []string{noCounters, noCapture}},
		{"a capture", k.evidence().Hosts, []string{noCounters, oneEnd}},
		{"an empty capture", []scenario.Witnessed{{Packets: []scenario.Packet{}}}, []string{noCounters, oneEnd, nothing}},
		{"with counters", []scenario.Witnessed{counted}, []string{oneEnd}},
		{"counters from elsewhere", append(k.evidence().Hosts, elsewhere), []string{oneEnd}},
		{"counters alone", []scenario.Witnessed{elsewhere}, []string{noCapture}},
		{"somebody else's RST", k.atServer(scenario.Counters{}).Hosts, []string{"1 RSTs came from server and its TCP sent 0: a packet filter sent the rest, or somebody injected them", oneEnd}},
		{"packets let go", []scenario.Witnessed{letGo}, []string{"3 packets at server were seen and not kept", oneEnd}},
	} {
		if got := Run(scenario.Evidence{Hosts: c.hosts}).Summary.Notes; !slices.Equal(got, c.want) {
			t.Errorf("%s: the notes are %q, want %q", c.name, got, c.want)
		}
	}
}

// An empty report has empty lists, not null: programs read it.
func TestRunEmptyJSON(t *testing.T) {
	r := Run(scenario.Evidence{})
	r.Summary.Notes = []string{}
	text, err := json.Marshal(r)
	if want := `{"flows":[],"summary":{"causes":[],"books":[],"notes":[]}}`; err != nil || string(text) != want {
		t.Errorf("the report is %s, %v, want %s", text, err, want)
	}
}

// Clues tell where they are.
func TestRunClues(t *testing.T) {
	f := only(t, Run(newTalk().say(">S <R.").atServer(scenario.Counters{"OutRsts": 1})))
	want := []Clue{{Text: "the packets are >S <R.", Host: "server", Packet: 1}, {Text: "OutRsts moved by 1", Host: "server"}}
	for i := range want {
		if i >= len(f.For) || !strings.HasPrefix(f.For[i].Text, want[i].Text) || f.For[i].Host != want[i].Host || f.For[i].Packet != want[i].Packet {
			t.Errorf("the clues are %+v, want %+v", f.For, want)
		}
	}
	if f.Name != "10.0.0.2:40000>10.0.0.1:80" || f.Shape != ">S <R." || f.First != 0 || f.Last != time.Millisecond {
		t.Errorf("the flow is %+v", f)
	}
}

// A connection whose data was acknowledged, with neither an answer nor an end, and whose
// client was told of a failure, was not answered by the program. Others keep what the
// packets say of them, such as one that the program closed.
func TestNotAnswered(t *testing.T) {
	packets := crowd(">S <S. >. >P. <.", ">S <S. >. >P. <.", ">S <S. >. >P. <. <F. >.", ">S <S. >. <R", ">S <S. >.")
	e := scenario.Evidence{Hosts: []scenario.Witnessed{{Host: "server", Addrs: []netip.Addr{serverEnd.Addr()}, Packets: packets}}}
	for _, i := range []uint16{0, 2, 3, 4} {
		local := netip.AddrPortFrom(clientEnd.Addr(), clientEnd.Port()+i)
		e.Clients = append(e.Clients, scenario.ClientError{Local: local, Remote: serverEnd, Phase: "read", Errno: "ETIMEDOUT"})
	}
	var got []string
	for _, f := range Run(e).Flows {
		got = append(got, string(f.Cause)+" "+string(f.Grade))
	}
	want := []string{"not-answered likely", "healthy certain", "healthy certain", "accept-overflow-abort likely", "healthy possible"}
	if !slices.Equal(got, want) {
		t.Errorf("causes are %q, want %q", got, want)
	}
}

// The cure of a short queue names what makes it short, if that is known.
func TestCureOfAShortQueue(t *testing.T) {
	for _, test := range []struct {
		limit     uint32
		somaxconn string
		want      string
	}{
		{16, "4096", "raise the backlog of listen(2), which is 16 (net.core.somaxconn allows 4096), accept faster"},
		{128, "128", "raise net.core.somaxconn, which is 128, and the backlog of listen(2) if it asks for no more, accept faster"},
		{128, "", "raise the backlog of listen(2) and net.core.somaxconn, accept faster"},
	} {
		host := scenario.Witnessed{
			Addrs: []netip.Addr{serverEnd.Addr()}, Packets: crowd(">S <S. >. <R"), Queues: []scenario.QueueSample{
				{Listener: serverEnd, Limit: test.limit}, {At: time.Second, Listener: serverEnd, Limit: test.limit, Drops: 2},
			},
			Sysctls: map[string]string{"net.core.somaxconn": test.somaxconn},
		}
		if got := Run(scenario.Evidence{Hosts: []scenario.Witnessed{host}}).Flows[0].Cure; !strings.HasPrefix(got, test.want) {
			t.Errorf("limit %d, somaxconn %q: the cure is %q, want %q", test.limit, test.somaxconn, got, test.want)
		}
	}
}
