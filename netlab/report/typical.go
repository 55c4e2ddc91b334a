package report

import "github.com/rstlab/rstlab/netlab/diagnose"

// typicalShape is the packet sequence that most flows of a cause share, and how many
// do. Of several that are as frequent it is the one that was seen first; empty if there
// is no flow.
func (p Page) typicalShape(cause diagnose.Cause) (string, int) {
	counts := map[string]int{}
	for _, f := range p.Diagnosis.Flows {
		if f.Cause == cause {
			counts[f.Shape]++
		}
	}
	shape, most := "", 0
	for _, f := range p.Diagnosis.Flows {
		if f.Cause == cause && counts[f.Shape] > most {
			shape, most = f.Shape, counts[f.Shape]
		}
	}
	return shape, most
}

// typical is the first flow of a cause that has its typical shape, or nil.
func (p Page) typical(cause diagnose.Cause) *diagnose.Flow {
	shape, _ := p.typicalShape(cause)
	for i, f := range p.Diagnosis.Flows {
		if f.Cause == cause && f.Shape == shape {
			return &p.Diagnosis.Flows[i]
		}
	}
	return nil
}

// causes are those of the summary, in its order, with healthy last, where it serves as
// a comparison.
func (p Page) causes() []diagnose.Count {
	var all, healthy []diagnose.Count
	for _, c := range p.Diagnosis.Summary.Causes {
		if c.Cause == diagnose.Healthy {
			healthy = append(healthy, c)
		} else {
			all = append(all, c)
		}
	}
	return append(all, healthy...)
}
