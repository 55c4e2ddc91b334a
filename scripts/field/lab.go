package main

import (
	"bytes"
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/wire"
	"github.com/vishvananda/netlink"
)

// Bounds of waits. A Java server on a busy machine takes ten seconds to start; all that
// only the kernel does takes milliseconds.
const (
	startPatience  = 60 * time.Second
	answerPatience = 30 * time.Second
	kernelPatience = 5 * time.Second
)

// field is a lab with one server.
type field struct {
	server
	program, folder string
	*wire.Plug      // which also joins the hosts
	proc            *netlab.Proc
	log             *tail
	defers          bool // a bare ACK does not complete a handshake: TCP_DEFER_ACCEPT
}

// dataPatience is after which time a client repeats what nobody has acknowledged, instead
// of 200 ms: a client whose data is dropped must stand still while it is looked at.
const dataPatience = 2 * time.Second

// newField makes the lab, without a server running.
func newField(lab netlab.TB, s server, program, folder string, log *tail) (*field, error) {
	f := &field{server: s, program: program, folder: folder, Plug: wire.NewPlug(lab), log: log}
	if err := f.Release(false); err != nil {
		return nil, err
	}
	if err := f.Server.SetSysctl("net.ipv4.tcp_max_tw_buckets", "0"); err != nil { // see crowd.close
		return nil, err
	}
	rt, eth0, err := f.Client.Eth0()
	if err != nil {
		return nil, err
	}
	defer rt.Close()
	to, err := netlink.ParseIPNet(f.Server.Addr() + "/32")
	if err != nil {
		return nil, err
	}
	err = rt.RouteAdd(&netlink.Route{LinkIndex: eth0.Attrs().Index, Dst: to, RtoMin: int(dataPatience.Milliseconds()), RtoMinLock: true})
	if err != nil {
		return nil, fmt.Errorf("add route to %v with a minimal time-out: %w", to, err)
	}
	return f, nil
}

// start starts the server under this somaxconn, has it answer one request, and gives the
// accept queues of its listeners.
func (f *field) start(somaxconn int) ([]netlab.AcceptQueue, error) {
	if err := f.Server.SetSysctl("net.core.somaxconn", strconv.Itoa(somaxconn)); err != nil {
		return nil, err
	}
	var err error
	if f.proc, err = f.server.start(f.Server, f.program, f.folder); err != nil {
		return nil, err
	}
	if err := f.awaitListening(); err != nil {
		return nil, err
	}
	before := f.Server.Counters()
	if err := f.askOnce(); err != nil {
		return nil, err
	}
	f.defers = f.Server.Counters().Since(before)["TCPDeferAcceptDrop"] > 0
	return listeners(f.Server.AcceptQueues()), f.awaitIdle()
}

// stop ends the server as its users do.
func (f *field) stop() { f.proc.Stop() }

func (f *field) awaitListening() error {
	again := time.NewTicker(time.Millisecond) // the kernel announces no listener
	defer again.Stop()
	timeout := time.After(startPatience)
	for listeners(f.Server.AcceptQueues()) == nil {
		select {
		case <-again.C:
		case <-f.proc.Done():
			return fmt.Errorf("it ended before it listened: %s%v", f.proc.Stop(), f.log)
		case <-timeout:
			return fmt.Errorf("it does not listen on port %d after %v%v", port, startPatience, f.log)
		}
	}
	return nil
}

// askOnce has one client get one answer.
func (f *field) askOnce() error {
	c, err := newCrowd(f.Client, f.Server, 1)
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.connect(0); err != nil {
		return err
	}
	answered, err := c.answers(1, 0, f.server, answerPatience)
	if err == nil && answered != 1 {
		err = fmt.Errorf("it does not answer %q with %q...%v", f.Request, f.Answer, f.log)
	}
	return err
}

// awaitIdle returns when the server has nothing of any client.
func (f *field) awaitIdle() error {
	return await("the server to be done with the clients that have left", answerPatience, func() (bool, error) {
		return f.queue().length == 0 && len(f.Server.Connections(port)) == 0 && len(f.Server.SYNQueue(port)) == 0, nil
	})
}

// queue is what the listeners that share the port have together.
type queue struct{ length, drops uint64 }

func (f *field) queue() queue {
	var all queue
	for _, q := range listeners(f.Server.AcceptQueues()) {
		all.length += uint64(q.Length)
		all.drops += uint64(q.Drops)
	}
	return all
}

// await looks again and again, up to the patience, until it is so.
func await(what string, patience time.Duration, so func() (bool, error)) error {
	deadline := time.Now().Add(patience)
	for pause := 10 * time.Microsecond; ; pause = min(2*pause, time.Millisecond) {
		ok, err := so()
		switch {
		case ok || err != nil:
			return err
		case time.Now().After(deadline):
			return fmt.Errorf("waited %v in vain for %s", patience, what)
		}
		time.Sleep(pause)
	}
}

// tail keeps the end of what a server prints.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailBytes = 2000

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	t.text = bytes.Clone(t.text[max(0, len(t.text)-tailBytes):])
	return len(p), nil
}

// String is the end of an error message.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return "; it printed last:\n" + cmp.Or(strings.TrimSpace(string(t.text)), "nothing")
}
