package loadclient

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// resultVersion is the version of a Result's JSON. A field that is added does not
// change it.
const resultVersion = 1

// Result is what became of a swarm, or of one shard of it. Its JSON field names are
// stable; beside the fields it has what [Result.Starts], [Result.ConnectTimes] and
// [Result.AnswerTimes] give.
type Result struct {
	Version int    `json:"version"` // of the JSON: 1
	Engine  Engine `json:"engine"`
	Target  string `json:"target"`

	Plan      string `json:"plan"`      // a digest; results of one run have the same
	Shard     int    `json:"shard"`     // which part of the run this is
	Shards    int    `json:"shards"`    // of how many; zero: 1, all of it
	Processes int    `json:"processes"` // that ran the clients

	Start      time.Time      `json:"start"`                   // when the run began, by the wall clock that Config.Start is told by
	ClockError time.Duration  `json:"clock_error_ns,omitzero"` // how far this machine may have been off that: Config.ClockError, or as the kernel reckons; zero: unknown
	Clients    []Client       `json:"clients"`                 // in the order of their numbers
	Fates      scenario.Fates `json:"fates"`
	Elapsed    time.Duration  `json:"elapsed_ns"` // from the start to the last client's fate
	Stalls     Stalls         `json:"stalls"`     // of this machine meanwhile
}

// result is that of the shard's clients.
func (c Config) result(start time.Time, clients []Client, elapsed time.Duration) Result {
	r := Result{
		Version: resultVersion, Engine: c.Engine, Target: c.Target, Plan: c.digest(), Shard: c.Shard, Shards: c.Shards,
		Processes: 1, Start: start.Round(0).Add(-c.ClockAhead), ClockError: cmp.Or(c.ClockError, clockError()), Clients: clients, Elapsed: elapsed,
	}
	r.Fates = r.countFates()
	return r
}

func (r Result) countFates() scenario.Fates {
	var counts [scenario.Failed + 1]int
	for i := range r.Clients {
		counts[r.Clients[i].Fate]++
	}
	fates := scenario.Fates{}
	for fate, n := range counts {
		if n > 0 {
			fates[scenario.Fate(fate)] = n
		}
	}
	return fates
}

// Check proves that every client has exactly one fate, that the fates add up to
// the clients, and that each client's times are in order. The error names the
// first client or fate that is not so.
func (r Result) Check() error {
	shards := max(r.Shards, 1)
	for i := range r.Clients {
		c := &r.Clients[i]
		if want := r.Shard + i*shards; c.Number != want {
			return fmt.Errorf("record %d is client %d, want the order of their numbers, here %d", i, c.Number, want)
		}
		if err := c.check(); err != nil {
			return err
		}
		if c.Ended > r.Elapsed {
			return fmt.Errorf("client %d: ended at %v, after the run's %v", c.Number, c.Ended, r.Elapsed)
		}
	}
	counted := r.countFates()
	for _, fate := range scenario.SwarmFates() {
		if counted[fate] != r.Fates[fate] {
			return fmt.Errorf("fates say %v %d, the clients %d", fate, r.Fates[fate], counted[fate])
		}
	}
	if total := r.Fates.Total(); total != len(r.Clients) {
		return fmt.Errorf("fates add up to %d of %d clients", total, len(r.Clients))
	}
	return nil
}

// plainResult is a Result without methods.
type plainResult Result

// MarshalJSON adds what follows from the clients.
func (r Result) MarshalJSON() ([]byte, error) {
	connects, err := describe(r.ConnectTimes())
	if err != nil {
		return nil, err
	}
	answers, err := describe(r.AnswerTimes())
	if err != nil {
		return nil, err
	}
	r.Version = resultVersion
	return json.Marshal(struct {
		plainResult
		Starts       Starts      `json:"starts"`
		ConnectTimes description `json:"connect_times"`
		AnswerTimes  description `json:"answer_times"`
	}{plainResult(r), r.Starts(), connects, answers})
}

// UnmarshalJSON reads what MarshalJSON writes. It refuses other versions.
func (r *Result) UnmarshalJSON(text []byte) error {
	var version struct{ Version int }
	if err := json.Unmarshal(text, &version); err != nil {
		return err
	}
	if version.Version != resultVersion {
		return fmt.Errorf("version of the result is %d, want %d", version.Version, resultVersion)
	}
	return json.Unmarshal(text, (*plainResult)(r))
}
