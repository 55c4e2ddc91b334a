package main

import (
	"fmt"
	"os"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/rstlab/rstlab/scripts/internal/program"
)

// wideSomaxconn shows what a server asks for. Nobody asks for it by chance: who gets it has
// read it, or asked for more.
const wideSomaxconn = 1_000_003

// Row is what the survey measured of one server.
type Row struct {
	Server    string `json:"server"`
	Version   string `json:"version"`   // of the Debian package, or of Go
	Listeners int    `json:"listeners"` // that share the port by SO_REUSEPORT

	Backlog      uint32 `json:"backlog"`       // that it asks for, as far as a somaxconn of 1000003 lets it be seen
	AsksForMost  bool   `json:"asks_for_most"` // it asks for somaxconn, whatever that is
	Limit        uint32 `json:"limit"`         // that it gets, of each listener, under a somaxconn of 4096
	DefersAccept bool   `json:"defers_accept"` // TCP_DEFER_ACCEPT is set

	PredictedBurst int    `json:"predicted_burst"` // clients at once that one listener takes while it is stalled, by predict
	AbortOff       Beyond `json:"abort_off"`       // measured with tcp_abort_on_overflow 0
	AbortOn        Beyond `json:"abort_on"`

	Differences []string `json:"differences,omitempty"` // from what predict says
}

// Beyond is what became of clients beyond the largest burst.
type Beyond struct {
	OneMore  OneMore   `json:"one_more"`
	UnderWay *UnderWay `json:"under_way,omitzero"` // nil where several listeners share the port
}

// survey measures one server, in a lab of its own. What is wrong has been said if it fails.
func survey(s server, executable string, c scenario.Calibration) (row Row, ok bool) {
	log := &tail{}
	lab := &program.Lab{Name: "field: " + s.Name, Log: log}
	defer func() {
		if lab.Close(recover()) {
			ok = false
		}
	}()
	folder, err := os.MkdirTemp("", "rstlab-field-")
	if err != nil {
		lab.Fatalf("%v", err)
	}
	lab.Cleanup(func() {
		if err := os.RemoveAll(folder); err != nil {
			lab.Errorf("%v", err)
		}
	})
	if err := os.Chmod(folder, 0o755); err != nil { // servers change their user
		lab.Fatalf("%v", err)
	}
	f, err := newField(lab, s, executable, folder, log)
	if err != nil {
		lab.Fatalf("%v", err)
	}
	row, err = f.measure(c)
	if err != nil {
		lab.Fatalf("%v", err)
	}
	row.Version = s.version(executable)
	return row, true
}

// measure fills the row, but for the version.
func (f *field) measure(c scenario.Calibration) (Row, error) {
	row := Row{Server: f.Name}
	asks, err := f.start(wideSomaxconn)
	if err != nil {
		return row, err
	}
	f.stop()
	gets, err := f.start(scenario.Defaults().Somaxconn)
	if err != nil {
		return row, err
	}
	defer f.stop()
	row.Listeners, row.DefersAccept = len(gets), f.defers
	if row.Backlog, err = commonLimit(asks); err != nil {
		return row, err
	}
	if row.Limit, err = commonLimit(gets); err != nil {
		return row, err
	}
	row.AsksForMost = row.Backlog == wideSomaxconn
	if want := scenario.Defaults().Limit(int(row.Backlog)); want != row.Limit {
		row.differ([]string{fmt.Sprintf("limit: predicted %d, measured %d", want, row.Limit)})
	}
	if row.PredictedBurst, err = largestBurst(int(row.Limit), c); err != nil {
		return row, err
	}
	for _, abort := range []bool{false, true} {
		if err := f.beyond(&row, abort, c); err != nil {
			return row, err
		}
	}
	return row, nil
}

// commonLimit is the limit of listeners that share a port. A row cannot tell of several.
func commonLimit(listeners []netlab.AcceptQueue) (uint32, error) {
	for _, q := range listeners {
		if q.Limit != listeners[0].Limit {
			return 0, fmt.Errorf("its listeners have different limits: %v", listeners)
		}
	}
	return listeners[0].Limit, nil
}

// beyond finds the largest burst and what becomes of clients beyond it, and holds both
// against predict.
func (f *field) beyond(row *Row, abort bool, c scenario.Calibration) error {
	if err := f.abort(abort); err != nil {
		return err
	}
	b, name := &row.AbortOff, "abort off"
	if abort {
		b, name = &row.AbortOn, "abort on"
	}
	if err := f.beyondOneMore(row, b, name, abort, c); err != nil {
		return fmt.Errorf("%s, one more: %w", name, err)
	}
	if row.Listeners > 1 { // which queue a client comes to, and how full it is, is the hash's to say
		return nil
	}
	if err := f.beyondUnderWay(row, b, name, abort, c); err != nil {
		return fmt.Errorf("%s, under way: %w", name, err)
	}
	return nil
}

func (f *field) beyondOneMore(row *Row, b *Beyond, name string, abort bool, c scenario.Calibration) (err error) {
	limit := int(row.Limit)
	var got, want scenario.Outcome
	if got, b.OneMore, err = f.oneMore(row.Listeners * (limit + 1)); err != nil {
		return err
	}
	s := burst(limit, abort, row.PredictedBurst+1)
	if row.Listeners == 1 {
		want, err = predicted(s, c, f.defers)
	} else {
		s, want, err = predictShared(b.OneMore.Queues, limit, abort, c, f.defers)
		want.ByClient = got.ByClient
	}
	if err != nil {
		return err
	}
	row.differ(compare(name+", one more", s, want, got))
	row.differ(compareAnswered(name+", one more", want.Fates, b.OneMore.Answered))
	return nil
}

func (f *field) beyondUnderWay(row *Row, b *Beyond, name string, abort bool, c scenario.Calibration) error {
	s := crossing(int(row.Limit), abort)
	want, err := predicted(s, c, f.defers)
	if err != nil {
		return err
	}
	got, u, err := f.underWay(s, want)
	if err != nil {
		return err
	}
	b.UnderWay = u
	row.differ(compare(name+", under way", s, want, got))
	row.differ(compareAnswered(name+", under way", want.Fates, u.Answered))
	return nil
}

func (r *Row) differ(differences []string) { r.Differences = append(r.Differences, differences...) }
