package report

import (
	"bytes"
	"strings"
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
			Grade: diagnose.Certain, Cure: "cure of accept-overflow-abort",
			Exact: "accept-overflow-abort: 69, certain; accept-overflow-abort explains server OutRsts 69; the books balance.",
		}},
		{"two causes", page(open, count(diagnose.ClosedPort, 2, diagnose.Likely), count("new-cause", 1, diagnose.Possible)), Verdict{
			Plain: "3 of 3 connections went wrong, 2 of them most likely because nothing listens on the server's port.",
			Grade: diagnose.Likely, Cure: "cure of closed-port",
			Exact: "closed-port: 2, likely; new-cause: 1, possible; unexplained: server OutRsts +3.",
		}},
		{"unknown", page(nil, diagnose.Count{Cause: diagnose.Unknown, Flows: 2, Grade: diagnose.Possible}), Verdict{
			Plain: "2 of 2 connections went wrong, and the evidence does not tell why.", Grade: diagnose.Possible, Exact: "unknown: 2, possible.",
		}},
		{"a cause of tomorrow", page(nil, count("new-cause", 1, diagnose.Certain)), Verdict{
			Plain: "1 of 1 connection went wrong because of new-cause (this is certain).", Grade: diagnose.Certain, Cure: "cure of new-cause", Exact: "new-cause: 1, certain.",
		}},
	} {
		if got := c.page.Verdict(); got != c.want {
			t.Errorf("%s: verdict is\n%+v, want\n%+v", c.name, got, c.want)
		}
	}
}

// The sentence is no surer than the diagnosis: what is not certain is called so before it
// is told, whether it holds for all that failed or for some, and late or never served.
func TestVerdictIsNoSurerThanItsGrade(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cause                    diagnose.Cause
		grade                    diagnose.Grade
		flows, recovered, others int // others: flows of another cause
		want                     string
	}{
		{diagnose.ClosedPort, diagnose.Certain, 3, 0, 0, "3 of 3 connections went wrong because nothing listens on the server's port (this is certain)."},
		{diagnose.ClosedPort, diagnose.Certain, 3, 0, 1, "4 of 4 connections went wrong, 3 of them because nothing listens on the server's port (this is certain)."},
		{diagnose.ClosedPort, diagnose.Likely, 3, 0, 0, "3 of 3 connections went wrong, most likely because nothing listens on the server's port."},
		{diagnose.ClosedPort, diagnose.Likely, 3, 0, 1, "4 of 4 connections went wrong, 3 of them most likely because nothing listens on the server's port."},
		{diagnose.ClosedPort, diagnose.Possible, 3, 0, 0, "3 of 3 connections went wrong; it could be that nothing listens on the server's port, but other causes fit as well."},
		{diagnose.ClosedPort, diagnose.Possible, 3, 0, 1, "4 of 4 connections went wrong; for 3 of them it could be that nothing listens on the server's port, but other causes fit as well."},
		{diagnose.ClosedPort, diagnose.Possible, 3, 3, 0, "3 of 3 connections came late; it could be that nothing listens on the server's port, but other causes fit as well."},
		{diagnose.ClosedPort, diagnose.Likely, 3, 1, 0, "2 of 3 connections went wrong, most likely because nothing listens on the server's port; 1 more came late."},
		{"new-cause", diagnose.Likely, 3, 0, 0, "3 of 3 connections went wrong, most likely because of new-cause."},
		{"new-cause", diagnose.Possible, 3, 0, 1, "4 of 4 connections went wrong; for 3 of them it could be new-cause, but other causes fit as well."},
		{"new-cause", "", 3, 0, 0, "3 of 3 connections went wrong because of new-cause."},
		{diagnose.Unknown, diagnose.Possible, 3, 0, 0, "3 of 3 connections went wrong, and the evidence does not tell why."},
		{diagnose.Unknown, diagnose.Possible, 3, 1, 1, "3 of 4 connections went wrong; for 2 of them the evidence does not tell why; 1 more came late."},
	} {
		causes := []diagnose.Count{
			{Cause: c.cause, Grade: c.grade, Flows: c.flows, Recovered: c.recovered},
			{Cause: diagnose.UnreadData, Grade: diagnose.Certain, Flows: c.others},
		}
		page := Page{Diagnosis: diagnose.Report{Summary: diagnose.Summary{Causes: causes}}}
		if got := page.Verdict().Plain; got != c.want {
			t.Errorf("%s, %s: the verdict is\n%s, want\n%s", c.cause, c.grade, got, c.want)
		}
	}
}

// So are the page and the Markdown where they tell of each cause.
func TestStoryIsNoSurerThanItsGrade(t *testing.T) {
	t.Parallel()
	for grade, want := range map[diagnose.Grade][2]string{
		diagnose.Certain:  {"What happened: nothing listens", "What helps: start it"},
		diagnose.Likely:   {"What most likely happened: nothing listens", "What helps if so: start it"},
		diagnose.Possible: {"What could have happened: nothing listens", "What helps if so: start it"},
	} {
		causes := []diagnose.Count{{Cause: diagnose.ClosedPort, Grade: grade, Flows: 1, Cure: "start it"}}
		page := Page{Diagnosis: diagnose.Report{Summary: diagnose.Summary{Causes: causes}}}
		var markdown bytes.Buffer
		if err := page.Markdown(&markdown); err != nil {
			t.Fatal(err)
		}
		for form, text := range map[string]string{"page": html(t, page), "Markdown": markdown.String()} {
			text = strings.NewReplacer("<strong>", "", "</strong>", "").Replace(text)
			stories, cures := strings.Count(text, want[0]), strings.Count(text, want[1])
			if stories != 1 || cures != 2 { // the verdict has the cure too
				t.Errorf("the %s about a %s cause has %q %d times and %q %d times, want once and twice:\n%s", form, grade, want[0], stories, want[1], cures, text)
			}
		}
	}
}
