// Package report shows a run to people and to programs: as one HTML page that needs
// nothing beside itself, as Markdown for a job's summary, and as JSON.
//
//	page := report.Page{Title: "nightly", Runs: runs, Evidence: evidence, Diagnosis: diagnose.Run(evidence)}
//	err := page.HTML(file)
//
// The page holds no script and refers to nothing outside itself, and its own content
// policy forbids both. Its pictures are aggregates, so that its size follows from what
// is to be seen and not from the number of clients. All that comes from outside is
// escaped by html/template. The same Page always gives the same bytes.
//
// The package is pure: it opens no file and no socket and reads no clock.
package report
