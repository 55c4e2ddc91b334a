package loadclient

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// plan is what the shards of one run have in common.
type plan struct {
	Version  int
	Engine   Engine
	Target   string
	Send     string
	Expect   string
	Waves    scenario.Arrivals
	Requests int
	Think    time.Duration
	Timeout  time.Duration
	Start    int64 // wall clock, Unix time in nanoseconds; zero: at once
	Shards   int
}

// Plan tells one plan from another, as [Result.Plan] does: shards with the same Plan, and
// no others, belong to one run, each with a Shard of its own. It is 16 hexadecimal digits.
func (c Config) Plan() string { return c.withDefaults().digest() }

// digest tells one plan from another: 16 hexadecimal digits of a SHA-256. The
// configuration has its defaults.
func (c Config) digest() string {
	p := plan{
		Version: resultVersion, Engine: c.Engine, Target: c.Target, Send: c.Send, Expect: c.Expect, Waves: c.Waves,
		Requests: c.Requests, Think: c.Think, Timeout: c.Timeout, Shards: c.Shards,
	}
	if !c.Start.IsZero() {
		p.Start = c.Start.UnixNano()
	}
	h := sha256.New()
	if err := json.NewEncoder(h).Encode(p); err != nil {
		panic(err) // plain values, and a hash takes all that is written to it
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
