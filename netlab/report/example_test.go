package report_test

import (
	"bytes"
	"fmt"
	"os"
	"time"

	"github.com/rstlab/rstlab/netlab/report"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// A page with runs alone is short.
func ExamplePage_Markdown() {
	page := report.Page{
		Title: "story",
		Runs: []report.Run{
			{Name: "limit 128", Fates: scenario.Fates{scenario.Served: 331, scenario.Reset: 69}, Failed: true, Why: "69 were reset"},
			{Name: "limit 400", Fates: scenario.Fates{scenario.Served: 400}},
		},
	}
	if err := page.Markdown(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// # story
	//
	// **1 of 2 runs failed (limit 128).**
	//
	// ## What became of every client
	//
	// | run | clients | fates | verdict |
	// | --- | --: | --- | --- |
	// | limit 128 | 400 | served 331, reset 69 | **failed**: 69 were reset |
	// | limit 400 | 400 | served 400 | passed |
}

// What becomes of bursts of two sizes with two backlogs, when nobody accepts.
func ExampleBacklogByBurst() {
	s := scenario.Defaults()
	s.Arrivals = scenario.Arrivals{{Clients: 1}} // the bursts come in its place
	s.RTT, s.Backlog, s.Accept.Mode = 100*time.Millisecond, 16, scenario.AcceptNever
	heat, err := report.BacklogByBurst(s, scenario.Modern, []int{16, 64}, []int{10, 50})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := (report.Page{Title: "backlog and burst", Heat: heat}).Markdown(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// # backlog and burst
	//
	// ## backlog and burst
	//
	// | burst ↓ backlog → | 16 | 64 |
	// | --- | --- | --- |
	// | 10 | queued 10 | queued 10 |
	// | 50 | queued 17, ghost 33 | queued 50 |
}

// A page is one file that needs nothing beside itself.
func ExamplePage_HTML() {
	page := report.Page{Title: "nightly", Runs: []report.Run{{Name: "limit 400", Fates: scenario.Fates{scenario.Served: 400}}}}
	var file bytes.Buffer
	if err := page.HTML(&file); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(page.Verdict().Plain)
	fmt.Println(bytes.HasPrefix(file.Bytes(), []byte("<!DOCTYPE html>")), bytes.Contains(file.Bytes(), []byte("<script")))
	// Output:
	// The one run passed, with 400 clients in all.
	// true false
}
