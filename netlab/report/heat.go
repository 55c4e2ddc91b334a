package report

import (
	"fmt"
	"strconv"

	"github.com/rstlab/rstlab/netlab/predict"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// Heat is what becomes of the clients for each pair of values of two knobs.
type Heat struct {
	Columns Knob   `json:"columns"`
	Rows    Knob   `json:"rows"`
	Cells   []Cell `json:"cells"` // row by row; those that are missing stay blank
}

// Knob is a setting and the values that it is given.
type Knob struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
}

// Cell is one pair of values.
type Cell struct {
	Predicted scenario.Fates `json:"predicted,omitempty"` // nil: not predicted
	Measured  scenario.Fates `json:"measured,omitempty"`  // nil: not measured
}

// Grid predicts the outcome for each pair of values. The error is that of
// [predict.Run] for the first scenario that it refuses.
func Grid(columns, rows Knob, c scenario.Calibration, at func(column, row int) scenario.Scenario) (*Heat, error) {
	h := &Heat{Columns: columns, Rows: rows, Cells: make([]Cell, len(columns.Values)*len(rows.Values))}
	for row, rowValue := range rows.Values {
		for column, columnValue := range columns.Values {
			o, err := predict.Run(at(column, row), c)
			if err != nil {
				return nil, fmt.Errorf("%s %s, %s %s: %w", columns.Name, columnValue, rows.Name, rowValue, err)
			}
			h.cell(column, row).Predicted = o.Fates
		}
	}
	return h, nil
}

// BacklogByBurst predicts a scenario with other backlogs and with bursts of other sizes
// in place of its arrivals. The burst comes at the scenario's start, and somaxconn does
// not cap the backlog.
func BacklogByBurst(s scenario.Scenario, c scenario.Calibration, backlogs, bursts []int) (*Heat, error) {
	columns, rows := Knob{"backlog", numbers(backlogs)}, Knob{"burst", numbers(bursts)}
	return Grid(columns, rows, c, func(column, row int) scenario.Scenario {
		at := s
		at.Backlog, at.Somaxconn = backlogs[column], max(s.Somaxconn, backlogs[column])
		at.Arrivals = scenario.Arrivals{{Clients: bursts[row]}}
		return at
	})
}

func numbers(values []int) []string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = strconv.Itoa(v)
	}
	return texts
}

// Measure notes what was measured for a pair of values. A pair that is not in the grid
// panics.
func (h *Heat) Measure(column, row int, f scenario.Fates) { h.cell(column, row).Measured = f }

// cell is a cell of the grid.
func (h *Heat) cell(column, row int) *Cell {
	if column < 0 || column >= len(h.Columns.Values) || row < 0 || row >= len(h.Rows.Values) {
		panic(fmt.Sprintf("cell %d, %d of a grid of %d by %d", column, row, len(h.Columns.Values), len(h.Rows.Values)))
	}
	return &h.Cells[row*len(h.Columns.Values)+column]
}

// at is a cell of a grid that may lack it.
func (h *Heat) at(column, row int) Cell {
	if i := row*len(h.Columns.Values) + column; i < len(h.Cells) {
		return h.Cells[i]
	}
	return Cell{}
}

// fates are what a cell shows: the prediction, or the measurement where there is none.
func (c Cell) fates() scenario.Fates {
	if c.Predicted == nil {
		return c.Measured
	}
	return c.Predicted
}

// agrees tells whether what was measured is what was predicted.
func (c Cell) agrees() bool {
	for f := range scenario.Failed + 1 {
		if c.Predicted[f] != c.Measured[f] {
			return false
		}
	}
	return true
}
