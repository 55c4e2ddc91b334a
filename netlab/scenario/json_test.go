package scenario

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

const ms = time.Millisecond

// varied are valid scenarios that between them set every field, one for each mode of
// accept.
func varied() map[string]Scenario {
	plain := Defaults()
	plain.Arrivals, plain.Backlog, plain.Accept.Mode = Arrivals{{Clients: 1}}, 0, AcceptNever

	zeros := Scenario{Arrivals: Arrivals{{Clients: 1}}, Accept: Accept{Mode: AcceptNow}}
	zeros.Write, zeros.CloseListener, zeros.SYNCookiesOff = new(time.Duration(0)), new(time.Duration(0)), new(time.Duration(0))

	every := everything()

	from := everything()
	from.Accept = Accept{Mode: AcceptFrom, From: 1500 * time.Microsecond}

	paused := everything()
	paused.Accept = Accept{Mode: AcceptPaused, Paused: []Window{{0, ms}, {ms, 2 * ms}, {time.Hour, time.Hour + 1}}}
	return map[string]Scenario{"plain": plain, "zeros": zeros, "every": every, "from": from, "paused": paused}
}

// everything is a valid scenario with a value of its own in every field.
func everything() Scenario {
	return Scenario{
		Arrivals: Arrivals{{Clients: 64, At: 3 * ms, Gap: 2 * ms}, {Clients: 800, At: 500 * ms}},
		RTT:      100 * ms, Backlog: 64, Somaxconn: 128, AbortOnOverflow: true, SYNCookies: 2, MaxSYNBacklog: 256, SYNACKRetries: 3,
		Accept:      Accept{Mode: AcceptEvery, Every: 2 * ms},
		ListenAgain: []Listen{{At: time.Second, Backlog: 16}, {At: 1200 * ms, Backlog: -1}}, CloseListener: new(2 * time.Second),
		SYNCookiesOff: new(3 * time.Second), Write: new(20 * ms), IPv6: true, Horizon: 30 * time.Second,
	}
}

func TestReadEverything(t *testing.T) {
	t.Parallel()
	got, err := Read(strings.NewReader(`{
		"arrivals": [{"clients": 64, "at": "3ms", "gap": "2ms"}, {"clients": 800, "at": "500ms"}],
		"rtt": "100ms", "backlog": 64, "somaxconn": 128, "abort_on_overflow": true, "syncookies": 2,
		"max_syn_backlog": 256, "synack_retries": 3, "accept": {"mode": "every", "every": "2ms"},
		"write": "20ms", "listen_again": [{"at": "1s", "backlog": 16}, {"at": "1.2s", "backlog": -1}],
		"close_listener": "2s", "syncookies_off": "3s", "ipv6": true, "horizon": "30s"}
	`))
	if want := everything(); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Read() = %v, %v, want %v", got, err, want)
	}
}

func TestReadDefaults(t *testing.T) {
	t.Parallel()
	got, err := Read(strings.NewReader(`{"arrivals":[{"clients":3}],"backlog":0,"accept":{"mode":"now"}}`))
	want := Scenario{
		Arrivals: Arrivals{{Clients: 3}}, Somaxconn: 4096, SYNCookies: 1, MaxSYNBacklog: 4096, SYNACKRetries: 5, Accept: Accept{Mode: AcceptNow},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Read() = %v, %v, want %v", got, err, want)
	}
}

// A number that is written as zero is zero: only one that is left out is the default.
func TestReadZeroNumbers(t *testing.T) {
	t.Parallel()
	got, err := Read(strings.NewReader(`{"arrivals":[{"clients":3}],"backlog":0,"accept":{"mode":"now"},
		"somaxconn":0,"syncookies":0,"max_syn_backlog":0,"synack_retries":0}`))
	want := Scenario{Arrivals: Arrivals{{Clients: 3}}, Accept: Accept{Mode: AcceptNow}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Read() = %v, %v, want %v", got, err, want)
	}
}

func TestReadPausedWindows(t *testing.T) {
	t.Parallel()
	got, err := Read(strings.NewReader(`{"arrivals":[{"clients":3}],"backlog":0,
		"accept":{"mode":"paused","paused":[{"from":"0s","to":"1ms"},{"from":"1s","to":"2s"}]}}`))
	want := Accept{Mode: AcceptPaused, Paused: []Window{{0, ms}, {time.Second, 2 * time.Second}}}
	if err != nil || !reflect.DeepEqual(got.Accept, want) {
		t.Errorf("Read() has accept %v, %v, want %v", got.Accept, err, want)
	}
}

// A moment has one more value than a duration has: it never comes.
func TestReadMoments(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, text string
		want       *time.Duration
	}{
		{"left out", ``, nil},
		{"never", `,"write":"never","close_listener":"never","syncookies_off":"never"`, nil},
		{"empty", `,"write":"","close_listener":"","syncookies_off":""`, nil},
		{"null", `,"write":null,"close_listener":null,"syncookies_off":null`, nil},
		{"zero", `,"write":"0s","close_listener":"0","syncookies_off":"0ms"`, new(time.Duration(0))},
		{"later", `,"write":"1s","close_listener":"1000ms","syncookies_off":"1s"`, new(time.Second)},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, err := Read(strings.NewReader(`{"arrivals":[{"clients":1}],"backlog":1,"accept":{"mode":"now"}` + test.text + `}`))
			got, want := []*time.Duration{s.Write, s.CloseListener, s.SYNCookiesOff}, []*time.Duration{test.want, test.want, test.want}
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("Read() of %v, %v; want all of %v", s, err, test.want)
			}
		})
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for name, want := range varied() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := json.Marshal(want)
			if err != nil || string(text) != want.String() {
				t.Errorf("Marshal() = %s, %v, want String() = %s", text, err, want)
			}
			got, err := Read(strings.NewReader(string(text)))
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("Read(%s) = %v, %v", text, got, err)
			}
		})
	}
}

func TestScenarioInJSON(t *testing.T) {
	t.Parallel()
	const want = `{"arrivals":[{"clients":64,"at":"3ms","gap":"2ms"},{"clients":800,"at":"500ms","gap":"0s"}],` +
		`"rtt":"100ms","backlog":64,"somaxconn":128,"abort_on_overflow":true,"syncookies":2,"max_syn_backlog":256,"synack_retries":3,` +
		`"accept":{"mode":"every","every":"2ms"},"write":"20ms","listen_again":[{"at":"1s","backlog":16},{"at":"1.2s","backlog":-1}],` +
		`"close_listener":"2s","syncookies_off":"3s","ipv6":true,"horizon":"30s"}`
	if got := everything().String(); got != want {
		t.Errorf("String() = %s, want %s", got, want)
	}
}

// What unmarshals need not make sense; Read is there for that.
func TestUnmarshalDoesNotValidate(t *testing.T) {
	t.Parallel()
	var got Scenario
	err := json.Unmarshal([]byte(`{"backlog":-5,"accept":{}}`), &got)
	want := Defaults()
	want.Backlog = -5
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Unmarshal() = %v, %v, want %v", got, err, want)
	}
}

func TestReadTellsOfTheReader(t *testing.T) {
	t.Parallel()
	broken := errors.New("is a directory")
	if _, err := Read(iotest.ErrReader(broken)); !errors.Is(err, broken) || err.Error() != "read scenario: is a directory" {
		t.Errorf("Read() = %v, want read scenario: %v", err, broken)
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range varied() {
		f.Add(s.String())
	}
	f.Add(`{"arrivals":[{"clients":1}],"backlog":1,"accept":{"mode":"now","paused":[]},"listen_again":[],"write":"1h1m0.000000001s"}`)
	f.Add(`{"backlog":1,"accept":{"mode":"never"}} x`)
	f.Fuzz(func(t *testing.T, text string) {
		want, err := Read(strings.NewReader(text))
		if err != nil {
			return
		}
		got, err := Read(strings.NewReader(want.String()))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("Read(%s), which came of %q, = %v, %v", want, text, got, err)
		}
	})
}

func TestReadArrivals(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text string
		want Arrivals
		err  string
	}{
		{`[{"clients":64}]`, Arrivals{{Clients: 64}}, ""},
		{` [{"clients":64,"at":"3ms","gap":"0s"},{"clients":2,"gap":"1s"}] `, Arrivals{{Clients: 64, At: 3 * ms}, {Clients: 2, Gap: time.Second}}, ""},

		{``, nil, "there is no list of waves, want one JSON list"},
		{`[]`, nil, `there is no wave in arrivals, want at least one such as {"clients":64}`},
		{`null`, nil, `there is no wave in arrivals, want at least one such as {"clients":64}`},
		{`{"clients":64}`, nil, "the list of waves is an object, want a JSON object or list as in the documentation"},
		{`[{"clients":64}`, nil, "the JSON ends too early"},
		{`[{"clients":64}] 1`, nil, "there is more after the list of waves, want one JSON list"},
		{`[{"clients":"64"}]`, nil, "clients is a string, want a whole number"},
		{`[{"clients":1,"every":"1s"}]`, nil, `read list of waves: json: unknown field "every"; the fields of a wave are clients, at and gap`},
		{`[{"clients":1},{"clients":1,"at":"1"}]`, nil, `arrivals[1].at is "1", want a duration such as "100ms"`},
		{`[{"clients":1},{"clients":0}]`, nil, "wave 1: clients is 0, want at least 1"},
	} {
		got, err := ReadArrivals(strings.NewReader(test.text))
		text := ""
		if err != nil {
			text = err.Error()
		}
		if text != test.err || test.err == "" && !reflect.DeepEqual(got, test.want) {
			t.Errorf("ReadArrivals(%s) = %v, %q, want %v, %q", test.text, got, text, test.want, test.err)
		}
	}
}
