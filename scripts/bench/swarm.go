package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// swarmProgram is a program with nothing but a swarm of loadclient in it.
const swarmProgram = "bench-swarm"

// swarmPlan is the swarm that is asked for.
type swarmPlan struct {
	Engine  loadclient.Engine
	Target  string
	Clients int
	Gap     time.Duration
	For     time.Duration // swarms one after another for so long, two at a time; zero: one swarm
}

// swarmReport is what the swarms report, as the tool's output.
type swarmReport struct {
	Fates     scenario.Fates
	Processes int // of the last swarm
}

// runSwarm fails if a swarm does, whose own check proves that each client has one fate.
func runSwarm(args []string) error {
	plan, err := planOf[swarmPlan](args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	lanes := make([]swarmReport, 1)
	if plan.For > 0 {
		lanes = make([]swarmReport, 2)
		runtime.GOMAXPROCS(2 * runtime.NumCPU()) // each lane has threads of its own
	}
	errs := make([]error, len(lanes))
	end := time.Now().Add(plan.For)
	var all sync.WaitGroup
	for i := range lanes {
		lanes[i].Fates = scenario.Fates{}
		all.Go(func() { errs[i] = lanes[i].play(ctx, plan, end) })
	}
	all.Wait()
	total := swarmReport{Fates: scenario.Fates{}}
	for _, lane := range lanes {
		total.add(lane)
	}
	return errors.Join(append(errs, json.NewEncoder(os.Stdout).Encode(total))...)
}

// play plays swarms until the end, and one at least.
func (r *swarmReport) play(ctx context.Context, plan swarmPlan, end time.Time) error {
	for first := true; first || time.Now().Before(end); first = false {
		result, err := loadclient.Run(ctx, loadclient.Config{Engine: plan.Engine, Target: plan.Target, Clients: plan.Clients, Gap: plan.Gap})
		if err != nil {
			return err
		}
		r.add(swarmReport{result.Fates, result.Processes})
	}
	return nil
}

func (r *swarmReport) add(more swarmReport) {
	for fate, n := range more.Fates {
		r.Fates[fate] += n
	}
	r.Processes = more.Processes
}
