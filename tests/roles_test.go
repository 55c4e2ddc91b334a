package tests

import (
	"context"
	"errors"
	"flag"
	"net"
	"net/http"
	"time"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/servers"
	"github.com/rstlab/rstlab/servers/rpc"
)

// The system under test runs in processes of its own, as in production: this same
// binary in one of two roles.
var (
	frontRole   = netlab.Role{Name: "front", Run: runFront}
	backendRole = netlab.Role{Name: "backend", Run: runBackend}
)

const (
	frontPort   = 8080
	backendPort = 9000
)

// acceptFlags are what both roles can be told of their listener.
type acceptFlags struct {
	listen  string
	backlog int
	pace    time.Duration
}

func (f *acceptFlags) register(flags *flag.FlagSet) {
	flags.StringVar(&f.listen, "listen", "", "address to listen on")
	flags.IntVar(&f.backlog, "backlog", -1, "argument of listen(2); -1 is somaxconn")
	flags.DurationVar(&f.pace, "pace", 0, "accept one connection in this time; 0 accepts at once")
}

func (f *acceptFlags) open() (net.Listener, error) {
	ln, err := servers.Listen(context.Background(), net.ListenConfig{}, "tcp", f.listen)
	if err != nil {
		return nil, err
	}
	ln.SetPace(f.pace)
	if err := ln.SetBacklog(f.backlog); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	return ln, nil
}

func runBackend(args []string) error {
	var accept acceptFlags
	flags := flag.NewFlagSet("backend", flag.ContinueOnError)
	accept.register(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	ln, err := accept.open()
	if err != nil {
		return err
	}
	return servers.NewBackend().Serve(ln)
}

func runFront(args []string) error {
	var accept acceptFlags
	var backend string
	var pool int
	var timeout time.Duration
	flags := flag.NewFlagSet("front", flag.ContinueOnError)
	accept.register(flags)
	flags.StringVar(&backend, "backend", "", "address of the backend")
	flags.IntVar(&pool, "pool", 0, "connections kept to the backend; 0 dials for each request")
	flags.DurationVar(&timeout, "timeout", 0, "for one call to the backend")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ln, err := accept.open()
	if err != nil {
		return err
	}
	front := servers.NewFront(&rpc.Client{Address: backend, PoolSize: pool}, timeout)
	if err := front.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
