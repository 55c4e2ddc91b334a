package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func TestDigits(t *testing.T) {
	for value, want := range map[float64]string{
		0: "0", 0.0123: "0.0123", 1.5: "1.50", -0.061: "-0.0610", 12.345: "12.3", 999.4: "999", 1234.5: "1,234", -1234567: "-1,234,567", 100: "100", 1000: "1,000",
	} {
		if got := digits(value); got != want {
			t.Errorf("digits(%v) = %q, want %q", value, got, want)
		}
	}
}

// The page in docs is what the JSON beside it says.
func TestPageInDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/bench.json")
	if err != nil {
		t.Fatal(err)
	}
	var r Report
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/bench.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := r.markdown(); string(page) != want {
		t.Errorf("docs/bench.md differs from what docs/bench.json makes:\n%s", want)
	}
}

func TestMarkdown(t *testing.T) {
	a := Answer{What: "speed", Figures: []figure{{"served", "conn/s", true}}, Rows: []Row{
		rowOf(oursName, 60, 50, 70), rowOf(storyName, 10), rowOf(wrkName, 30), rowOf("h2load", 20), {Tool: "ab", Samples: []sample{{Note: "no"}, {Note: "no"}}},
	}}
	a.Checks = []Check{a.atLeastTimes(0, 6, storyName), a.atLeastTimes(0, 3, wrkName)}
	r := Report{Command: "go run", Rounds: 3, Versions: map[string]string{"wrk": "4", "ab": "2"}, Skipped: []string{"hey: not found"}, Answers: []Answer{a}}
	text := r.markdown()
	for _, want := range []string{
		"    sudo go run\n", "medians of 3 rounds", "ab 2, wrk 4; skipped: hey: not found",
		`
| what | must | rstlab | story | wrk | best of the other peers | holds |
|---|---|---|---|---|---|---|
| speed: served, conn/s | ≥ 6 × story | 60 | 10 | 30 | 20 (h2load) | yes |
| speed: served, conn/s | ≥ 3 × wrk | 60 | 10 | 30 | 20 (h2load) | **no** |

## Speed

| tool | served, conn/s | ÷ rstlab | ÷ story | ÷ wrk | |
|---|---|---|---|---|---|
| rstlab | 60 (50 to 70) |  | 6 | 2 |  |
| story | 10 | 0.167 |  | 0.333 |  |
| wrk | 30 | 0.500 | 3 |  |  |
| h2load | 20 | 0.333 | 2 | 0.667 |  |
| ab |  |  |  |  | no |
`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks\n%s\nit is\n%s", want, text)
		}
	}
	const few = "**Fewer than 5 rounds"
	if r.Rounds = 5; !strings.Contains(text, few) || strings.Contains(r.markdown(), few) {
		t.Errorf("with 3 rounds the page is\n%s\nwant that it says %q, and with 5 that it does not", text, few)
	}
	if r.holds() {
		t.Error("the report holds, and one of its lines does not")
	}
	r.Answers[0].Checks = r.Answers[0].Checks[:1]
	if !r.holds() {
		t.Error("the report does not hold, and all of its lines do")
	}
}
