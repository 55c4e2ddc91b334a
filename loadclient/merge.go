package loadclient

import (
	"errors"
	"fmt"
)

// MergeError says which results do not belong together, and why.
type MergeError struct {
	Results []int  // their places among those that were to be merged; none: one is missing
	Reason  string // a sentence
}

func (e MergeError) Error() string { return e.Reason }

// Merge joins the results of all shards of one run into the result that a single run
// would have had. It is exact: the clients are put back in their order, and all else is
// worked out from them.
//
// Results that do not belong together are a [MergeError]: those of different plans, shards
// that are missing or there twice. The clocks of the shards' machines may differ; the
// merged ClockError is the largest of theirs, or unknown if one is.
func Merge(results ...Result) (Result, error) {
	if len(results) == 0 {
		return Result{}, errors.New("merge: there are no results")
	}
	if err := belong(results); err != nil {
		return Result{}, fmt.Errorf("merge: %w", err)
	}
	merged, err := join(results, 0, 1)
	if err != nil {
		return Result{}, fmt.Errorf("merge: %w", err)
	}
	return merged, nil
}

// belong tells whether the results are all the shards of one run.
func belong(results []Result) error {
	shards := max(results[0].Shards, 1)
	seen := map[int]int{} // places by shard
	for i, r := range results {
		first, twice := seen[r.Shard]
		switch {
		case r.Plan != results[0].Plan:
			return MergeError{[]int{0, i}, fmt.Sprintf("shard %d is of plan %s, and shard %d of plan %s: want results of one run",
				r.Shard, r.Plan, results[0].Shard, results[0].Plan)}
		case max(r.Shards, 1) != shards || r.Shard < 0 || r.Shard >= shards:
			return MergeError{[]int{0, i}, fmt.Sprintf("a result is shard %d of %d, and the first is one of %d", r.Shard, r.Shards, shards)}
		case twice:
			return MergeError{[]int{first, i}, fmt.Sprintf("shard %d is there twice", r.Shard)}
		}
		seen[r.Shard] = i
	}
	for shard := range shards {
		if _, there := seen[shard]; !there {
			return MergeError{nil, fmt.Sprintf("shard %d of %d is missing", shard, shards)}
		}
	}
	return nil
}

// join puts the results together whose clients are those of one shard of so many.
func join(results []Result, shard, shards int) (Result, error) {
	merged := results[0]
	merged.Shard, merged.Shards = shard, shards
	merged.Clients, merged.Stalls, merged.Processes, merged.Elapsed = nil, Stalls{}, 0, 0
	total := 0
	for _, r := range results {
		total += len(r.Clients)
	}
	merged.Clients = make([]Client, total)
	for k, r := range results {
		for i := range r.Clients {
			place, rest := (r.Clients[i].Number-shard)/shards, (r.Clients[i].Number-shard)%shards
			if rest != 0 || place < 0 || place >= total || merged.Clients[place].Fate != 0 {
				return Result{}, MergeError{[]int{k}, fmt.Sprintf("client %d of shard %d does not belong there, or is there twice", r.Clients[i].Number, r.Shard)}
			}
			merged.Clients[place] = r.Clients[i]
		}
		merged.Elapsed = max(merged.Elapsed, r.Elapsed)
		merged.Processes += r.Processes
		merged.Stalls = merged.Stalls.join(r.Stalls)
		if r.Start.Before(merged.Start) {
			merged.Start = r.Start
		}
		if merged.ClockError == 0 || r.ClockError == 0 {
			merged.ClockError = 0
		} else {
			merged.ClockError = max(merged.ClockError, r.ClockError)
		}
	}
	merged.Fates = merged.countFates()
	return merged, merged.Check()
}
