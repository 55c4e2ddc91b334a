package report

import (
	"testing"

	"github.com/rstlab/rstlab/netlab/diagnose"
	"github.com/rstlab/rstlab/netlab/scenario"
)

func TestVerdict(t *testing.T) {
	t.Parallel()
	count := func(c diagnose.Cause, n int, g diagnose.Grade) diagnose.Count {
		return diagnose.Count{Cause: c, Flows: n, Grade: g, Cure: "cure of " + string(c)}
	}
	page := func(books []diagnose.Entry, causes ...diagnose.Count) Page {
		return Page{Diagnosis: diagnose.Report{Summary: diagnose.Summary{Causes: causes, Books: books}}}
	}
	runs := []Run{{Name: "a", Fates: scenario.Fates{scenario.Served: 400}}, {Name: "b", Clients: 5}}
	failed := []Run{{Name: "a"}, {Name: "b", Failed: true}}
	balanced := []diagnose.Entry{{Host: "server", Counter: "OutRsts", Moved: 69, Explained: map[diagnose.Cause]uint64{diagnose.AcceptOverflowAbort: 69}}}
	open := []diagnose.Entry{{Host: "server", Counter: "OutRsts", Moved: 3, Unexplained: 3}}
	for _, c := range []struct {
		name string
		page Page
		want Verdict
	}{
		{"nothing", Page{}, Verdict{}},
		{"runs that passed", Page{Runs: runs}, Verdict{Plain: "All 2 runs passed, with 405 clients in all."}},
		{"a run that failed", Page{Runs: failed}, Verdict{Plain: "1 of 2 runs failed (b)."}},
		{"healthy", page(nil, count(diagnose.Healthy, 1, diagnose.Certain)), Verdict{Plain: "The one connection went well.", Exact: "healthy: 1."}},
		{"the story", page(balanced, count(diagnose.Healthy, 331, diagnose.Certain), count(diagnose.AcceptOverflowAbort, 69, diagnose.Certain)), Verdict{
			Plain: "69 of 400 connections went wrong because more clients had connected than the server lets wait, and it is set to reset the rest (this is certain).",
			Cure:  "cure of accept-overflow-abort",
			Exact: "accept-overflow-abort: 69, certain; accept-overflow-abort explains server OutRsts 69; the books balance.",
		}},
		{"two causes", page(open, count(diagnose.ClosedPort, 2, diagnose.Likely), count("new-cause", 1, diagnose.Possible)), Verdict{
			Plain: "3 of 3 connections went wrong, 2 of them because nothing listens on the server's port (this is likely, not certain).",
			Cure:  "cure of closed-port",
			Exact: "closed-port: 2, likely; new-cause: 1, possible; unexplained: server OutRsts +3.",
		}},
		{"unknown", page(nil, diagnose.Count{Cause: diagnose.Unknown, Flows: 2, Grade: diagnose.Possible}), Verdict{
			Plain: "2 of 2 connections went wrong, and the evidence does not tell why.", Exact: "unknown: 2, possible.",
		}},
		{"a cause of tomorrow", page(nil, count("new-cause", 1, diagnose.Certain)), Verdict{
			Plain: "1 of 1 connection went wrong because of new-cause (this is certain).", Cure: "cure of new-cause", Exact: "new-cause: 1, certain.",
		}},
	} {
		if got := c.page.Verdict(); got != c.want {
			t.Errorf("%s: verdict is\n%+v, want\n%+v", c.name, got, c.want)
		}
	}
}
