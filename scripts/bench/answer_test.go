package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/rstlab/rstlab/netlab"
)

// rowOf is a tool's with these values of one figure, one a round.
func rowOf(tool string, values ...float64) Row {
	r := Row{Tool: tool}
	for _, v := range values {
		r.Samples = append(r.Samples, sample{Values: []float64{v}})
	}
	r.summarise()
	return r
}

func TestSummarise(t *testing.T) {
	r := rowOf("x", 5, 1, 9)
	r.Samples = append(r.Samples, sample{Note: "no"}, sample{Values: []float64{2}})
	r.summarise()
	if r.Medians[0] != 3.5 || r.Least[0] != 1 || r.Most[0] != 9 {
		t.Errorf("median, least and most are %v, %v, %v, want 3.5, 1, 9", r.Medians, r.Least, r.Most)
	}
}

func TestChecks(t *testing.T) {
	of := func(rows ...Row) Answer {
		return Answer{Figures: []figure{{"f", "u", true}}, Rows: rows}
	}
	gap := rowOf(oursName, 12)
	gap.Samples = append(gap.Samples, sample{Note: "no"})
	for _, test := range []struct {
		name  string
		check Check
		must  string
		holds bool
	}{
		{"twice", of(rowOf(oursName, 1, 12, 12), rowOf(wrkName, 6)).atLeastTimes(0, 2, wrkName), "≥ 2 × wrk", true},
		{"not twice", of(rowOf(oursName, 11.9), rowOf(wrkName, 6)).atLeastTimes(0, 2, wrkName), "≥ 2 × wrk", false},
		{"the other was not measured", of(rowOf(oursName, 12), Row{Tool: wrkName}).atLeastTimes(0, 2, wrkName), "≥ 2 × wrk", false},
		{"ours was not measured", of(Row{Tool: oursName}, rowOf(wrkName, 6)).atLeastTimes(0, 2, wrkName), "≥ 2 × wrk", false},
		{"a round of ours has no value", of(gap, rowOf(wrkName, 6)).atLeastTimes(0, 2, wrkName), "≥ 2 × wrk", false},
		{"always", of(rowOf(oursName, 1000, 1000)).always(0, 1000), "1,000, every time", true},
		{"but once", of(rowOf(oursName, 1000, 999, 1000)).always(0, 1000), "1,000, every time", false},
		{"within", of(rowOf(oursName, -5, -5, 50)).within(0, 5), "≤ 5", true},
		{"not within", of(rowOf(oursName, -5.1)).within(0, 5), "≤ 5", false},
	} {
		if want := (Check{0, test.must, test.holds}); test.check != want {
			t.Errorf("%s: %+v, want %+v", test.name, test.check, want)
		}
	}
}

func TestBestPeer(t *testing.T) {
	a := Answer{Figures: []figure{{"f", "u", true}}, Rows: []Row{
		rowOf(oursName, 99), rowOf(storyName, 98), rowOf(wrkName, 97), rowOf("a", 3), rowOf("b", -4), {Tool: "c"}, rowOf("d", 4), rowOf("e", 3),
	}}
	if best, ok := a.bestPeer(0); !ok || best.Tool != "b" {
		t.Errorf("the best is %v, %v, want b, which is furthest from zero", best.Tool, ok)
	}
	a.Figures[0].More = false
	if best, ok := a.bestPeer(0); !ok || best.Tool != "a" {
		t.Errorf("the best is %v, %v, want a, which is nearest to zero", best.Tool, ok)
	}
}

// Each tool is the first in its turn, plays once a round, and one that cannot play has
// a note in place of values.
func TestRoundsAreInterleaved(t *testing.T) {
	var order []string
	q := question{
		name: "x", kind: kindHeld, clients: func(size) int { return 5 }, figures: []figure{{"f", "u", true}},
		play: func(_ context.Context, _ netlab.TB, of tool, _ size) (sample, error) {
			order = append(order, of.name)
			if of.name == "b" {
				return sample{}, errEndless
			}
			return sample{Values: []float64{1}}, nil
		},
	}
	all := []tool{{name: "a"}, {name: "b"}, {name: "c", most: 4}}
	a := q.blank(all)
	for round := range 2 {
		if err := q.playRound(t.Context(), round, &a, all, small); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"a", "b", "b", "a"}; !slices.Equal(order, want) {
		t.Errorf("the tools played in the order %v, want %v", order, want)
	}
	var notes []string
	for _, r := range a.Rows {
		notes = append(notes, r.note())
	}
	if want := []string{"", "no: had not ended after 1m0s", "no: at most 4 clients"}; !slices.Equal(notes, want) {
		t.Errorf("notes are %q, want %q", notes, want)
	}
}

func TestRoundEndsWithAnError(t *testing.T) {
	failed := errors.New("no lab")
	q := question{
		name: "x", clients: func(size) int { return 5 },
		play: func(context.Context, netlab.TB, tool, size) (sample, error) { return sample{}, failed },
	}
	all := []tool{{name: "a"}}
	a := q.blank(all)
	err := q.playRound(t.Context(), 0, &a, all, small)
	if !errors.Is(err, failed) || !strings.Contains(err.Error(), "question x, round 1, a") {
		t.Errorf("the round fails with %v, want that of the question, with its round and tool", err)
	}
}
