package main

import (
	"context"
	"encoding/json"
	"net/netip"
	"os"
	"os/signal"
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
	Sources []netip.Addr
}

// swarmReport is what the swarm reports, as the tool's output.
type swarmReport struct {
	Fates     scenario.Fates
	Processes int
}

// runSwarm fails if the swarm does, whose own check proves that each client has one fate.
func runSwarm(args []string) error {
	plan, err := planOf[swarmPlan](args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	result, err := loadclient.Run(ctx, loadclient.Config{Engine: plan.Engine, Target: plan.Target, Clients: plan.Clients, Gap: plan.Gap, Sources: plan.Sources})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(swarmReport{result.Fates, result.Processes})
}
