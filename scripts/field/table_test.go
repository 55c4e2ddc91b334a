package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/rstlab/rstlab/netlab/scenario"
)

func TestMarkdown(t *testing.T) {
	s := Survey{
		Kernel: "6.18.1", Date: "2026-01-31",
		Rows: []Row{{
			Server: "little", Version: "1.2-3", Listeners: 1, Backlog: 5, Limit: 5, DefersAccept: true, PredictedBurst: 6,
			AbortOff: Beyond{
				OneMore{6, []uint32{6}, scenario.Fates{scenario.Queued: 6, scenario.SYNDropped: 1}, 7, 1},
				&UnderWay{6, scenario.Fates{scenario.Queued: 6, scenario.Kept: 3}, 9},
			},
			AbortOn: Beyond{
				OneMore{6, []uint32{6}, scenario.Fates{scenario.Queued: 6, scenario.SYNDropped: 1}, 7, 1},
				&UnderWay{6, scenario.Fates{scenario.Queued: 6, scenario.Reset: 3}, 6},
			},
		}, {
			Server: "shared", Version: "unknown", Listeners: 2, Backlog: wideSomaxconn, AsksForMost: true, Limit: 4096, PredictedBurst: 4097,
			AbortOff:    Beyond{OneMore: OneMore{8000, []uint32{4097, 3903}, scenario.Fates{scenario.SYNDropped: 1}, 8001, 1}},
			AbortOn:     Beyond{OneMore: OneMore{7900, []uint32{3803, 4097}, scenario.Fates{scenario.SYNDropped: 1}, 7901, 2}},
			Differences: []string{"abort off: a", "abort on: b"},
		}},
		Skipped: []Skipped{{"haproxy", "not installed; apt install haproxy"}},
	}
	want := `Measured on Linux 6.18.1 on 2026-01-31.

| server | version | asks for | gets | largest burst (predicted) | one client more | handshakes under way, abort off | handshakes under way, abort on | as predicted |
|---|---|---|---|---|---|---|---|---|
| little | 1.2-3 | 5, deferred | 5 | 6 (6) | syn_dropped 1; answered 7, the last after 1 SYN more | of 6: kept 3; answered 9 of 9 | of 6: reset 3; answered 6 of 9 | yes |
| shared | unknown | somaxconn | 2 × 4096 | 8000 and 7900 (4097 to 8194) | abort off: syn_dropped 1; answered 8001, the last after 1 SYN more; on: syn_dropped 1; answered 7901, the last after 2 SYN more | not played | not played | no: abort off: a; abort on: b |

- skipped: haproxy (not installed; apt install haproxy)
`
	if got := s.markdown(); got != want {
		t.Errorf("markdown() =\n%s\nwant\n%s", got, want)
	}
}

// The page in docs has the table of the survey that is kept beside it, with every server
// in it, and each was as predicted.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/field-survey.json")
	if err != nil {
		t.Fatal(err)
	}
	var kept Survey
	if err := json.Unmarshal(text, &kept); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/field-survey.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), kept.markdown()) {
		t.Errorf("docs/field-survey.md does not have the table of docs/field-survey.json; paste it:\n%s", kept.markdown())
	}
	measured := map[string]bool{}
	for _, row := range kept.Rows {
		measured[row.Server] = true
		if row.Differences != nil {
			t.Errorf("%s differs from what was predicted: %v", row.Server, row.Differences)
		}
	}
	for _, s := range servers {
		if !measured[s.Name] {
			t.Errorf("%s is not in docs/field-survey.json", s.Name)
		}
	}
}
