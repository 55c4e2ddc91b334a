package report

import (
	"encoding/json"
	"fmt"
	"io"
)

// document is a Page as it is written down: the verdict stands first, for programs
// that want nothing else.
type document struct {
	Verdict Verdict `json:"verdict,omitzero"`
	Page
}

// JSON writes the page as one JSON object with the fields of Page and a field verdict.
// The packets of the evidence are part of it, so it is the complete record of a run.
func (p Page) JSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(document{p.Verdict(), p}); err != nil {
		return fmt.Errorf("write the report as JSON: %w", err)
	}
	return nil
}

// Read reads what [Page.JSON] wrote. The verdict is not kept, since it follows from the
// rest. The fates of single clients in the advice are not part of the JSON.
func Read(r io.Reader) (Page, error) {
	var d document
	if err := json.NewDecoder(r).Decode(&d); err != nil {
		return Page{}, fmt.Errorf("read a report: %w", err)
	}
	return d.Page, nil
}
