package scenario

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// scenarioJSON is a Scenario as it is written down, with durations as text:
//
//	{"arrivals":[{"clients":64,"at":"0s","gap":"0s"}],"rtt":"100ms","backlog":64,
//	 "accept":{"mode":"every","every":"2ms"},"write":"never", ...}
//
// A pointer is a field that may be left out.
type scenarioJSON struct {
	Arrivals        []waveJSON   `json:"arrivals"`
	RTT             string       `json:"rtt,omitempty"`
	Backlog         *int         `json:"backlog"`
	Somaxconn       *int         `json:"somaxconn"`
	AbortOnOverflow bool         `json:"abort_on_overflow"`
	SYNCookies      *int         `json:"syncookies"`
	MaxSYNBacklog   *int         `json:"max_syn_backlog"`
	SYNACKRetries   *int         `json:"synack_retries"`
	Accept          *acceptJSON  `json:"accept"`
	Write           string       `json:"write,omitempty"`
	ListenAgain     []listenJSON `json:"listen_again,omitempty"`
	CloseListener   string       `json:"close_listener,omitempty"`
	SYNCookiesOff   string       `json:"syncookies_off,omitempty"`
	IPv6            bool         `json:"ipv6"`
	Horizon         string       `json:"horizon,omitempty"`
}

type waveJSON struct {
	Clients int    `json:"clients"`
	At      string `json:"at,omitempty"`
	Gap     string `json:"gap,omitempty"`
}

type acceptJSON struct {
	Mode   AcceptMode   `json:"mode"`
	Every  string       `json:"every,omitempty"`
	From   string       `json:"from,omitempty"`
	Paused []windowJSON `json:"paused,omitempty"`
}

type windowJSON struct {
	From string `json:"from"`
	To   string `json:"to"`
}

type listenJSON struct {
	At      string `json:"at"`
	Backlog *int   `json:"backlog"`
}

const never = "never"

// Read reads one scenario in JSON and validates it. Fields that are left out have
// the values of [Defaults]; backlog and accept must be there. The error is one
// sentence.
func Read(r io.Reader) (Scenario, error) {
	decoder := json.NewDecoder(r)
	decoder.DisallowUnknownFields()
	var s Scenario
	if err := scenarioText.read(decoder, &s); err != nil {
		return Scenario{}, err
	}
	return s, s.Validate()
}

// ReadArrivals reads waves as they stand in a scenario, and validates them. At and gap may
// be left out. The error is one sentence.
//
//	[{"clients":64},{"clients":400,"at":"500ms","gap":"1ms"}]
func ReadArrivals(r io.Reader) (Arrivals, error) {
	decoder := json.NewDecoder(r)
	decoder.DisallowUnknownFields()
	var from []waveJSON
	if err := arrivalsText.read(decoder, &from); err != nil {
		return nil, err
	}
	if len(from) == 0 {
		return nil, errors.New(`there is no wave in arrivals, want at least one such as {"clients":64}`)
	}
	var p spanParser
	arrivals := p.arrivals(from)
	if p.err != nil {
		return nil, p.err
	}
	return arrivals, arrivals.Validate()
}

// document is what a text is about, for sentences about what is wrong with it.
type document struct{ name, shape, fields string }

var (
	scenarioText = document{"scenario", "object", ""} // it says itself which fields it has
	arrivalsText = document{"list of waves", "list", "; the fields of a wave are clients, at and gap"}
)

// read reads one document and nothing behind it.
func (d document) read(decoder *json.Decoder, to any) error {
	if err := decoder.Decode(to); err != nil {
		return d.inWords(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("there is more after the %s, want one JSON %s", d.name, d.shape)
	}
	return nil
}

// inWords turns an error of encoding/json into a sentence about the document.
func (d document) inWords(err error) error {
	if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		want := map[string]string{
			"string": `text, such as a duration "100ms"`, "int": "a whole number", "bool": "true or false",
			"scenario.AcceptMode": "one of never, now, every, from, paused",
		}[mismatch.Type.String()]
		is := map[string]string{"array": "an array", "object": "an object"}[mismatch.Value]
		return fmt.Errorf("%s is %s, want %s", cmp.Or(mismatch.Field, "the "+d.name), cmp.Or(is, "a "+mismatch.Value),
			cmp.Or(want, "a JSON object or list as in the documentation"))
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("byte %d is not JSON: %w", syntax.Offset, err)
	}
	if errors.Is(err, errField) {
		return err
	}
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("there is no %s, want one JSON %s", d.name, d.shape)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the JSON ends too early")
	}
	return fmt.Errorf("read %s: %w%s", d.name, err, d.fields)
}

// fieldNames ends the sentence about a field that is unknown.
const fieldNames = "; the fields are arrivals (clients, at, gap), rtt, backlog, somaxconn, abort_on_overflow, syncookies, max_syn_backlog, " +
	"synack_retries, accept (mode, every, from, paused), write, listen_again (at, backlog), close_listener, syncookies_off, ipv6 and horizon"

// errField is matched by an error that says itself what is wrong with which field.
var errField = errors.New("field of a scenario")

// fieldError is a sentence about one field.
type fieldError string

func (e fieldError) Error() string   { return string(e) }
func (e fieldError) Is(t error) bool { return t == errField }

// UnmarshalJSON reads what MarshalJSON writes. It does not validate.
func (s *Scenario) UnmarshalJSON(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var from scenarioJSON
	if err := decoder.Decode(&from); err != nil {
		if _, mismatch := errors.AsType[*json.UnmarshalTypeError](err); mismatch {
			return err
		}
		return fieldError(err.Error() + fieldNames)
	}
	if from.Backlog == nil {
		return fieldError("backlog is missing, want the argument of listen(2)")
	}
	*s = Defaults()
	s.Backlog, s.AbortOnOverflow, s.IPv6 = *from.Backlog, from.AbortOnOverflow, from.IPv6
	for _, number := range []struct {
		to   *int
		from *int
	}{
		{&s.Somaxconn, from.Somaxconn}, {&s.SYNCookies, from.SYNCookies},
		{&s.MaxSYNBacklog, from.MaxSYNBacklog}, {&s.SYNACKRetries, from.SYNACKRetries},
	} {
		if number.from != nil {
			*number.to = *number.from
		}
	}
	var p spanParser
	s.RTT, s.Horizon = p.span("rtt", from.RTT), p.span("horizon", from.Horizon)
	s.Write, s.CloseListener = p.moment("write", from.Write), p.moment("close_listener", from.CloseListener)
	s.SYNCookiesOff = p.moment("syncookies_off", from.SYNCookiesOff)
	s.Arrivals = p.arrivals(from.Arrivals)
	for i, l := range from.ListenAgain {
		if l.Backlog == nil {
			return fieldError(fmt.Sprintf("listen_again[%d].backlog is missing, want the argument of listen(2)", i))
		}
		s.ListenAgain = append(s.ListenAgain, Listen{At: p.span(fmt.Sprintf("listen_again[%d].at", i), l.At), Backlog: *l.Backlog})
	}
	if from.Accept != nil {
		s.Accept = from.Accept.read(&p)
	} else if p.err == nil {
		p.err = fieldError(`accept is missing, want how the server accepts, such as {"mode":"now"}`)
	}
	return p.err
}

func (a acceptJSON) read(p *spanParser) Accept {
	accept := Accept{Mode: a.Mode, Every: p.span("accept.every", a.Every), From: p.span("accept.from", a.From)}
	for i, w := range a.Paused {
		name := fmt.Sprintf("accept.paused[%d]", i)
		accept.Paused = append(accept.Paused, Window{From: p.span(name+".from", w.From), To: p.span(name+".to", w.To)})
	}
	if a.Mode == AcceptFrom && a.From == "" && p.err == nil {
		p.err = fieldError("accept.from is missing, want when the server begins to accept")
	}
	return accept
}

// spanParser reads durations and keeps the first error.
type spanParser struct{ err error }

// span reads a duration; text that is left out is zero.
func (p *spanParser) span(name, text string) time.Duration {
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil && p.err == nil {
		p.err = fieldError(fmt.Sprintf("%s is %q, want a duration such as \"100ms\"", name, text))
	}
	return d
}

func (p *spanParser) arrivals(from []waveJSON) (all Arrivals) {
	for i, w := range from {
		at, gap := p.span(fmt.Sprintf("arrivals[%d].at", i), w.At), p.span(fmt.Sprintf("arrivals[%d].gap", i), w.Gap)
		all = append(all, Wave{Clients: w.Clients, At: at, Gap: gap})
	}
	return all
}

// moment reads a duration or never, which text that is left out means too.
func (p *spanParser) moment(name, text string) *time.Duration {
	if text == "" || text == never {
		return nil
	}
	return new(p.span(name, text))
}

// MarshalJSON writes what reproduces the scenario, with durations such as "500ms".
// Optional parts that are not used are left out.
func (s Scenario) MarshalJSON() ([]byte, error) {
	to := scenarioJSON{
		RTT: s.RTT.String(), Backlog: &s.Backlog, Somaxconn: &s.Somaxconn, AbortOnOverflow: s.AbortOnOverflow,
		SYNCookies: &s.SYNCookies, MaxSYNBacklog: &s.MaxSYNBacklog, SYNACKRetries: &s.SYNACKRetries,
		Accept: &acceptJSON{Mode: s.Accept.Mode, Every: optional(s.Accept.Every), From: optional(s.Accept.From)},
		Write:  never, IPv6: s.IPv6, Horizon: optional(s.Horizon),
	}
	for _, w := range s.Arrivals {
		to.Arrivals = append(to.Arrivals, waveJSON{w.Clients, w.At.String(), w.Gap.String()})
	}
	for _, w := range s.Accept.Paused {
		to.Accept.Paused = append(to.Accept.Paused, windowJSON{w.From.String(), w.To.String()})
	}
	if s.Write != nil {
		to.Write = s.Write.String()
	}
	for _, l := range s.ListenAgain {
		to.ListenAgain = append(to.ListenAgain, listenJSON{l.At.String(), &l.Backlog})
	}
	if s.CloseListener != nil {
		to.CloseListener = s.CloseListener.String()
	}
	if s.SYNCookiesOff != nil {
		to.SYNCookiesOff = s.SYNCookiesOff.String()
	}
	return json.Marshal(to)
}

// optional leaves a zero duration out.
func optional(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// String is the scenario in JSON, which reproduces it.
func (s Scenario) String() string {
	text, err := s.MarshalJSON()
	if err != nil {
		return err.Error()
	}
	return string(text)
}
