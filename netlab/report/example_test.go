package report_test

import (
	"fmt"
	"os"

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
