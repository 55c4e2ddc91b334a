package scenario

import (
	"strings"
	"testing"
)

// Each bad input is answered by one sentence that names the field, as somebody needs it
// who has written the JSON by hand.
func TestReadRefuses(t *testing.T) {
	t.Parallel()
	const (
		good     = `{"arrivals":[{"clients":1}],"backlog":1,"accept":{"mode":"never"}`
		object   = "want a JSON object or list as in the documentation"
		duration = `want a duration such as "100ms"`
		text     = `want text, such as a duration "100ms"`
		fields   = "; the fields are arrivals (clients, at, gap), rtt, backlog, somaxconn, abort_on_overflow, syncookies, max_syn_backlog, " +
			"synack_retries, accept (mode, every, from, paused), write, listen_again (at, backlog), close_listener, syncookies_off, ipv6 and horizon"
	)
	for _, test := range []struct{ name, text, want string }{
		{"empty", "", "there is no scenario, want one JSON object"},
		{"blank", " \n", "there is no scenario, want one JSON object"},
		{"truncated", good, "the JSON ends too early"},
		{"truncated in a name", `{"back`, "the JSON ends too early"},
		{"text behind it", good + `} x`, "there is more after the scenario, want one JSON object"},
		{"two scenarios", good + `}` + good + `}`, "there is more after the scenario, want one JSON object"},
		{"not JSON", `backlog: 1`, "byte 1 is not JSON: invalid character 'b' looking for beginning of value"},
		{"comma at the end", `{"backlog":1,}`, "byte 14 is not JSON: invalid character '}' looking for beginning of object key string"},

		{"list", `[1]`, "the scenario is an array, " + object},
		{"text", `"never"`, "the scenario is a string, " + object},
		{"null", `null`, "backlog is missing, want the argument of listen(2)"},
		{"unknown field", good + `,"sysctls":{}}`, `json: unknown field "sysctls"` + fields},
		{"unknown field of a wave", `{"arrivals":[{"count":1}],"backlog":1}`, `json: unknown field "count"` + fields},
		{"no backlog", `{"arrivals":[{"clients":1}],"accept":{"mode":"never"}}`, "backlog is missing, want the argument of listen(2)"},
		{"no accept", `{"arrivals":[{"clients":1}],"backlog":1}`, `accept is missing, want how the server accepts, such as {"mode":"now"}`},
		{"no mode", `{"arrivals":[{"clients":1}],"backlog":1,"accept":{}}`, `accept.mode is "", want one of never, now, every, from, paused`},
		{"from when", `{"arrivals":[{"clients":1}],"backlog":1,"accept":{"mode":"from"}}`, "accept.from is missing, want when the server begins to accept"},
		{"listen with what", good + `,"listen_again":[{"at":"1s"}]}`, "listen_again[0].backlog is missing, want the argument of listen(2)"},
		{"no arrivals", `{"backlog":1,"accept":{"mode":"never"}}`, "number of clients in arrivals is 0, want 1 to 100000000"},
		{"makes no sense", good + `,"syncookies":3}`, "syncookies is 3, want 0 to 2"},

		{"number as text", good + `,"somaxconn":"1"}`, "somaxconn is a string, want a whole number"},
		{"broken number", `{"backlog":1.5}`, "backlog is a number 1.5, want a whole number"},
		{"list as number", good + `,"syncookies":[1]}`, "syncookies is an array, want a whole number"},
		{"text as number in a wave", `{"arrivals":[{"clients":1},{"clients":"x"}]}`, "arrivals.clients is a string, want a whole number"},
		{"truth as number", good + `,"listen_again":[{"backlog":true}]}`, "listen_again.backlog is a bool, want a whole number"},
		{"number as truth", good + `,"abort_on_overflow":1}`, "abort_on_overflow is a number, want true or false"},
		{"object as truth", good + `,"ipv6":{}}`, "ipv6 is an object, want true or false"},
		{"number as duration", good + `,"rtt":5}`, "rtt is a number, " + text},
		{"number as duration in a window", `{"accept":{"paused":[{"from":1}]}}`, "accept.paused.from is a number, " + text},
		{"number as mode", `{"accept":{"mode":1}}`, "accept.mode is a number, want one of never, now, every, from, paused"},
		{"text as object", `{"accept":"never"}`, "accept is a string, " + object},
		{"object as list", `{"arrivals":{}}`, "arrivals is an object, " + object},

		{"duration without unit", good + `,"rtt":"100"}`, `rtt is "100", ` + duration},
		{"duration that is never", good + `,"horizon":"never"}`, `horizon is "never", ` + duration},
		{"bad write", good + `,"write":"soon"}`, `write is "soon", ` + duration},
		{"bad close_listener", good + `,"close_listener":"Never"}`, `close_listener is "Never", ` + duration},
		{"bad syncookies_off", good + `,"syncookies_off":"1 s"}`, `syncookies_off is "1 s", ` + duration},
		{"bad at", `{"arrivals":[{"clients":1},{"clients":1,"at":"1"}],"backlog":1}`, `arrivals[1].at is "1", ` + duration},
		{"bad gap", `{"arrivals":[{"clients":1,"gap":"x"}],"backlog":1}`, `arrivals[0].gap is "x", ` + duration},
		{"bad listen_again", good + `,"listen_again":[{"at":"x","backlog":1}]}`, `listen_again[0].at is "x", ` + duration},
		{"bad every", `{"backlog":1,"accept":{"mode":"every","every":"x"}}`, `accept.every is "x", ` + duration},
		{"bad from", `{"backlog":1,"accept":{"mode":"from","from":"x"}}`, `accept.from is "x", ` + duration},
		{"bad window", `{"backlog":1,"accept":{"paused":[{"from":"0s","to":"1s"},{"from":"x","to":"y"}]}}`, `accept.paused[1].from is "x", ` + duration},
		{"bad end of a window", `{"backlog":1,"accept":{"paused":[{"from":"0s","to":"y"}]}}`, `accept.paused[0].to is "y", ` + duration},
		{"two bad durations", good + `,"horizon":"x","rtt":"y"}`, `rtt is "y", ` + duration},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, err := Read(strings.NewReader(test.text)); err == nil || err.Error() != test.want {
				t.Errorf("Read(%s) = %v, want %s", test.text, err, test.want)
			}
		})
	}
}
