package scenario

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"
)

func TestFateNames(t *testing.T) {
	for fate, name := range map[Fate]string{
		Undecided: "undecided", Served: "served", Reset: "reset", Refused: "refused",
		TimedOut: "timed_out", Closed: "closed", Failed: "failed", 99: "fate(99)",
	} {
		if got := fate.String(); got != name {
			t.Errorf("Fate(%d) is %q, want %q", uint8(fate), got, name)
		}
	}
	if got := SwarmFates(); slices.Contains(got, Undecided) || len(got) != len(fateNames)-1 {
		t.Errorf("SwarmFates is %v, want every fate but undecided", got)
	}
}

func TestFatesRoundTrip(t *testing.T) {
	want := Fates{Served: 331, Reset: 69}
	text, err := json.Marshal(want)
	if err != nil || string(text) != `{"reset":69,"served":331}` {
		t.Fatalf("JSON is %s, %v", text, err)
	}
	var got Fates
	if err := json.Unmarshal(text, &got); err != nil || !maps.Equal(got, want) {
		t.Errorf("read back %v, %v; want %v", got, err, want)
	}
	if err := json.Unmarshal([]byte(`{"lost":1}`), &got); err == nil ||
		err.Error() != `fate "lost": want one of served, reset, refused, timed_out, closed, failed` {
		t.Errorf("an unknown fate: %v", err)
	}
	if _, err := json.Marshal(Fates{99: 1}); err == nil {
		t.Error("a value that is no fate was written")
	}
}

func TestFatesInWords(t *testing.T) {
	for _, c := range []struct {
		fates Fates
		total int
		want  string
	}{
		{nil, 0, "no clients"},
		{Fates{Served: 0}, 0, "no clients"},
		{Fates{Failed: 1, Served: 331, Reset: 68}, 400, "served 331, reset 68, failed 1"},
	} {
		if got := c.fates.String(); got != c.want || c.fates.Total() != c.total {
			t.Errorf("%v: %q, total %d; want %q, %d", map[Fate]int(c.fates), got, c.fates.Total(), c.want, c.total)
		}
	}
}

func TestArrivalsDue(t *testing.T) {
	arrivals := Arrivals{{Clients: 2, At: time.Second}, {Clients: 3, Gap: 20 * time.Millisecond}}
	var got []string
	for client, due := range arrivals.Due() {
		got = append(got, fmt.Sprint(client, " ", due))
		if client == 3 {
			break // a consumer may stop early
		}
	}
	if want := []string{"0 1s", "1 1s", "2 0s", "3 20ms"}; !slices.Equal(got, want) {
		t.Errorf("due: %q, want %q", got, want)
	}
	if n := arrivals.Clients(); n != 5 {
		t.Errorf("%d clients, want 5", n)
	}
}

func TestArrivalsValidate(t *testing.T) {
	good := Wave{Clients: 1}
	for _, c := range []struct {
		arrivals Arrivals
		want     string
	}{
		{Arrivals{good, {Clients: 0}}, "wave 1: clients is 0, want at least 1"},
		{Arrivals{{Clients: 1, At: -1}}, "wave 0: at is -1ns, want zero or more"},
		{Arrivals{{Clients: 1, Gap: -time.Second}}, "wave 0: gap is -1s, want zero or more"},
		{Arrivals{good}, "<nil>"},
		{nil, "<nil>"},
	} {
		if got := fmt.Sprint(c.arrivals.Validate()); got != c.want {
			t.Errorf("Validate of %v: %s, want %s", c.arrivals, got, c.want)
		}
	}
}

func TestCountersSince(t *testing.T) {
	before := Counters{"OutRsts": 5, "ListenDrops": 2}
	after := Counters{"OutRsts": 7, "ListenDrops": 2, "PassiveOpens": 1}
	if got, want := after.Since(before), (Counters{"OutRsts": 2, "PassiveOpens": 1}); !maps.Equal(got, want) {
		t.Errorf("moved: %v, want %v", got, want)
	}
	if got, want := after.Only("PassiveOpens", "OutRsts", "EmbryonicRsts").String(), "OutRsts 7, PassiveOpens 1"; got != want {
		t.Errorf("Only: %q, want %q", got, want)
	}
	defer func() {
		if got, want := recover(), "counter OutRsts went from 7 to 5: Since wants the later counters as receiver"; got != want {
			t.Errorf("arguments in the wrong order: %v, want %s", got, want)
		}
	}()
	before.Since(Counters{"OutRsts": 7})
}

func ExampleCounters_Since() {
	before := Counters{"ListenDrops": 10, "OutRsts": 1}
	after := Counters{"ListenDrops": 341, "OutRsts": 1}
	fmt.Println(after.Since(before))
	// Output: ListenDrops 331
}

func ExampleArrivals() {
	// A burst of 64 fills the queue; half a second later comes the real one.
	arrivals := Arrivals{{Clients: 64}, {Clients: 400, At: 500 * time.Millisecond}}
	fmt.Println(arrivals.Clients())
	// Output: 464
}
