package main

import (
	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/predict"
	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/rstlab/rstlab/netlab/wire"
)

// engine plays a scenario, on a kernel of its calibration.
type engine struct {
	scenario    scenario.Scenario // as the engine plays it
	calibration scenario.Calibration
	play        func(scenario.Scenario) (scenario.Outcome, error)
}

func open(lab netlab.TB, name string, s scenario.Scenario) (engine, error) {
	if name == "predict" {
		return engine{s, scenario.Modern, func(s scenario.Scenario) (scenario.Outcome, error) {
			return predict.Run(s, scenario.Modern)
		}}, nil
	}
	if name == "virtual" || s.RTT > 0 {
		if err := netlab.TUNAvailable(); err != nil {
			return engine{}, err
		}
	}
	if name == "real" {
		return openReal(lab, s)
	}
	if s.Horizon > 0 {
		lab.Logf("with a horizon this takes %v", s.Horizon)
	}
	w := wire.New(lab)
	c, err := w.Calibrate()
	return engine{s, c, w.Play}, err
}
