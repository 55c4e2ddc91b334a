package scenario

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
)

// allFates are the fates and their names, in the order of their values.
var allFates = []struct {
	fate Fate
	name string
}{
	{Undecided, "undecided"}, {Served, "served"},
	{Queued, "queued"}, {Kept, "kept"}, {Ghost, "ghost"}, {GhostOrKept, "ghost_or_kept"}, {SYNDropped, "syn_dropped"},
	{Reset, "reset"}, {ResetAfterRequest, "reset_after_request"}, {Refused, "refused"}, {Unreachable, "unreachable"},
	{TimedOut, "timed_out"}, {Closed, "closed"}, {Truncated, "truncated"}, {BadStatus, "bad_status"},
	{LocalError, "local_error"}, {Failed, "failed"},
}

func TestFateNames(t *testing.T) {
	t.Parallel()
	for i, f := range allFates {
		if got := f.fate.String(); int(f.fate) != i || got != f.name {
			t.Errorf("Fate(%d) is %q, want Fate(%d), %q", uint8(f.fate), got, i, f.name)
		}
		var got Fate
		if err := got.UnmarshalText([]byte(f.name)); err != nil || got != f.fate {
			t.Errorf("UnmarshalText(%q) = %v, %v", f.name, got, err)
		}
	}
	if got := Fate(len(allFates)).String(); got != "fate(17)" {
		t.Errorf("the value behind the last fate is %q, want fate(17)", got)
	}
}

func TestFateLists(t *testing.T) {
	t.Parallel()
	if got, want := SwarmFates(), []Fate{Served, Queued, GhostOrKept, SYNDropped, Reset, ResetAfterRequest,
		Refused, Unreachable, TimedOut, Closed, Truncated, BadStatus, LocalError, Failed}; !slices.Equal(got, want) {
		t.Errorf("SwarmFates() = %v, want %v", got, want)
	}
	if got, want := OutcomeFates(), []Fate{Served, Queued, Reset, Kept, Ghost, SYNDropped, Refused}; !slices.Equal(got, want) {
		t.Errorf("OutcomeFates() = %v, want %v", got, want)
	}
}

func TestFatesRoundTrip(t *testing.T) {
	t.Parallel()
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
		err.Error() != `fate "lost": want one of served, queued, kept, ghost, ghost_or_kept, syn_dropped, reset, reset_after_request, `+
			`refused, unreachable, timed_out, closed, truncated, bad_status, local_error, failed` {
		t.Errorf("an unknown fate: %v", err)
	}
	if _, err := json.Marshal(Fates{99: 1}); err == nil {
		t.Error("a value that is no fate was written")
	}
}

func TestFatesInWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fates Fates
		total int
		want  string
	}{
		{nil, 0, "no clients"},
		{Fates{Served: 0}, 0, "no clients"},
		{Fates{Failed: 1, Served: 331, Reset: 68}, 400, "served 331, reset 68, failed 1"},
		{Fates{Reset: 64, Ghost: 35, Queued: 65}, 164, "queued 65, ghost 35, reset 64"},
	} {
		if got := c.fates.String(); got != c.want || c.fates.Total() != c.total {
			t.Errorf("%v: %q, total %d; want %q, %d", map[Fate]int(c.fates), got, c.fates.Total(), c.want, c.total)
		}
	}
}
