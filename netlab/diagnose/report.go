package diagnose

import (
	"net/netip"
	"time"
)

// Report is what the evidence shows. Its JSON field names are stable.
type Report struct {
	Flows   []Flow  `json:"flows"` // one a connection attempt, in order of their first packets
	Summary Summary `json:"summary"`
}

// Summary is the report in numbers.
type Summary struct {
	Causes []Count  `json:"causes"` // of all flows, the most frequent first
	Books  []Entry  `json:"books"`  // each counter that moved and what explains it
	Notes  []string `json:"notes"`  // what the evidence lacks, and what it contradicts
}

// Count is how many flows have a cause, and how sure that is in the weakest case.
type Count struct {
	Cause     Cause  `json:"cause"`
	Flows     int    `json:"flows"`
	Recovered int    `json:"recovered,omitzero"` // of these, served late
	Grade     Grade  `json:"grade"`
	Cure      string `json:"cure,omitempty"`
}

// Entry is a line of the books: a counter of a host, what flows explain of it, and what
// is left over, which is never spread over guesses.
type Entry struct {
	Host        string           `json:"host"`
	Counter     string           `json:"counter"`
	Moved       uint64           `json:"moved"`
	Explained   map[Cause]uint64 `json:"explained,omitempty"`
	Unexplained int64            `json:"unexplained"` // negative: flows account for more than was counted
}

// Flow is one connection attempt. Its candidates and exclusions may be shared with other
// flows, and are not to be changed.
type Flow struct {
	Client netip.AddrPort `json:"client"`
	Server netip.AddrPort `json:"server"`
	Name   string         `json:"flow"`  // "10.0.0.2:48864>10.0.0.1:80"
	Shape  string         `json:"shape"` // its packets, such as ">S <S. >. <R": from the client >, from the server <
	First  time.Duration  `json:"first_ns"`
	Last   time.Duration  `json:"last_ns"`

	Cause       Cause       `json:"cause"`
	Recovered   bool        `json:"recovered,omitzero"` // it was served in the end, late
	Grade       Grade       `json:"grade"`
	Candidates  []Cause     `json:"candidates"` // the cause first; more than one if the evidence cannot separate them
	For         []Clue      `json:"for"`
	Against     []Clue      `json:"against,omitempty"` // what the cause does not explain
	RuledOut    []Exclusion `json:"ruled_out,omitempty"`
	Cure        string      `json:"cure,omitempty"`
	CaptureNext string      `json:"capture_next,omitempty"` // what would separate the candidates
}

// Clue is one piece of evidence and where it is: a packet, a counter, a sample of a
// queue, or what a client was told.
type Clue struct {
	Text   string        `json:"text"`
	Host   string        `json:"host,omitempty"`
	At     time.Duration `json:"at_ns,omitzero"`
	Packet int           `json:"packet,omitzero"` // its number at the host, from 1; 0: not about a packet
}

// Exclusion is a cause that was considered, and why it is none.
type Exclusion struct {
	Cause Cause  `json:"cause"`
	Why   string `json:"why"`
}

// Find is the flow of a client, or nil.
func (r Report) Find(client netip.AddrPort) *Flow {
	for i := range r.Flows {
		if r.Flows[i].Client == client {
			return &r.Flows[i]
		}
	}
	return nil
}

// Balanced tells whether no counter has a remainder.
func (r Report) Balanced() bool {
	for _, e := range r.Summary.Books {
		if e.Unexplained != 0 {
			return false
		}
	}
	return true
}
