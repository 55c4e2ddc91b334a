package tests

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// check holds the observation against the row and returns everything that is not
// as it should be, each in words for somebody who does not know the suite, then how
// the knobs really stood and what became of the clients.
func (o observation) check() error {
	err := errors.Join(o.checkResets(), o.checkKnobs(), o.checkQueue(), o.checkBooks(), o.checkErrors())
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w\n%s%v", err, o.knobs(), o.Result)
}

// resets is how many handshakes ended in a RST, as the clients of the hop in
// question saw it: the swarm itself, or the front, which passes it on as 502.
func (o observation) resets() int {
	if o.row.hop == "front" {
		return o.Result.Fates[scenario.Reset]
	}
	n := 0
	for _, c := range o.Result.Clients {
		if c.Status == http.StatusBadGateway && strings.Contains(c.Error, syscall.ECONNRESET.Error()) {
			n++
		}
	}
	return n
}

// checkResets asserts that the resets appear, or that they never do.
func (o observation) checkResets() error {
	n := o.resets()
	switch {
	case o.row.resets && n == 0:
		return fmt.Errorf("no handshake was reset at the %s, and some should have been: %d clients meet a full accept queue, with abort on",
			o.row.hop, o.row.clients)
	case !o.row.resets && n > 0:
		return fmt.Errorf("%d handshakes were reset at the %s, and none should have been", n, o.row.hop)
	}
	return nil
}

// checkKnobs asserts that the row was played as it is written. Clients may start
// late on a busy machine, never early.
func (o observation) checkKnobs() error {
	if _, _, queue := o.overflow(); o.Abort == o.row.abortValue() && queue.Limit == uint32(o.row.backlog) && o.Spread >= o.row.span() {
		return nil
	}
	return errors.New("a knob was not found as the row sets it")
}

// knobs is a table of the knobs as the row sets them and as they were found.
func (o observation) knobs() string {
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\tknob\tset\tfound\t")
	knob := func(name string, set, found any, wrong bool) {
		mark := ""
		if wrong {
			mark = "<-- look here first"
		}
		fmt.Fprintf(w, "\t%s\t%v\t%v\t%s\n", name, set, found, mark)
	}
	_, _, queue := o.overflow()
	knob("tcp_abort_on_overflow", o.row.abortValue(), o.Abort, o.Abort != o.row.abortValue())
	knob("accept queue's limit", o.row.backlog, queue.Limit, queue.Limit != uint32(o.row.backlog))
	knob("from first client to last", o.row.span(), o.Spread.Round(time.Millisecond), o.Spread < o.row.span())
	knob("from one answer to the next", o.row.pace, o.answerGap().Round(time.Microsecond), o.answerGap() < o.row.pace/2)
	w.Flush()
	return table.String()
}

// answerGap is how far apart the clients were answered on average, which is what the
// accept loop's pace comes to.
func (o observation) answerGap() time.Duration {
	var answered []time.Duration
	for _, c := range o.Result.Clients {
		if c.FirstByte > 0 {
			answered = append(answered, c.FirstByte)
		}
	}
	if len(answered) < 2 {
		return 0
	}
	return (slices.Max(answered) - slices.Min(answered)) / time.Duration(len(answered)-1)
}

// checkQueue asserts that a queue that is large enough drops nothing and serves
// everybody, and that one that is not did overflow.
func (o observation) checkQueue() error {
	_, _, overflowing := o.overflow()
	bystander, bystanderHop := o.BackendQueue, "backend"
	if o.row.hop == "backend" {
		bystander, bystanderHop = o.FrontQueue, "front"
	}
	served := o.Result.Fates[scenario.Served]
	var errs []error
	if bystander.Drops != 0 {
		errs = append(errs, fmt.Errorf("the %s's listener dropped %d, want 0: the row is about the %s", bystanderHop, bystander.Drops, o.row.hop))
	}
	switch {
	case o.row.fits() && overflowing.Drops != 0:
		errs = append(errs, fmt.Errorf("the %s's listener dropped %d, want 0: its accept queue should hold everybody who waits",
			o.row.hop, overflowing.Drops))
	case o.row.fits() && served != o.row.clients:
		errs = append(errs, fmt.Errorf("%d of %d clients were served, want all: nothing overflows in this row", served, o.row.clients))
	case !o.row.fits() && overflowing.Drops == 0:
		errs = append(errs, fmt.Errorf("the %s's listener dropped nothing, but its accept queue should have overflowed", o.row.hop))
	}
	return errors.Join(errs...)
}

// checkBooks asserts that the three witnesses agree: the clients, the counters of
// the kernels at both ends, and the drops of the one listener.
func (o observation) checkBooks() error {
	server, peer, queue := o.overflow()
	resets := uint64(o.resets())
	var errs []error
	equal := func(what string, got, want uint64) {
		if got != want {
			errs = append(errs, fmt.Errorf("%s is %d, want %d.\n\tat the %s: %v\n\tat its clients: %v",
				what, got, want, o.row.hop, server.Only(scenario.OverflowCounters()...), peer.Only(scenario.OverflowCounters()...)))
		}
	}
	equal("EmbryonicRsts at the "+o.row.hop+" (handshakes it reset)", server["EmbryonicRsts"], resets-o.stolen())
	equal("EstabResets at its clients (connections they lost)", peer["EstabResets"], resets)
	if o.Abort == "1" {
		// A dropped SYN or cookie counts one and an ACK that was answered with RST
		// counts two. With abort off ACKs are dropped too, which no counter tells
		// from dropped SYNs.
		equal("the listener's drops", uint64(queue.Drops), server["ListenDrops"]+server["EmbryonicRsts"])
	}
	return errors.Join(errs...)
}

// stolen is how many handshakes the kernel reset and completed at the same time, which
// happens to one in some ten thousand. The ACK and the first data of a client were
// processed by two CPUs: one found the accept queue full and answered RST, the other
// found room and had the connection in the queue first. Such a RST is not counted by
// EmbryonicRsts. The server later answers the connection, and the client's host,
// which has no socket any more, resets it: EstabResets at the server.
//
// Source, measured on v6.18: embryonic_reset and req_stolen in tcp_check_req
// (net/ipv4/tcp_minisocks.c).
func (o observation) stolen() uint64 {
	server, _, _ := o.overflow()
	if o.row.abort {
		return server["EstabResets"]
	}
	return 0
}

// settled tells whether the server has answered all the stolen connections.
func (o observation) settled() bool {
	server, peer, _ := o.overflow()
	return peer["EstabResets"] == server["EmbryonicRsts"]+o.stolen()
}

// checkErrors asserts that each client that was let down says why.
func (o observation) checkErrors() error {
	for _, c := range o.Result.Clients {
		if err := o.checkError(c); err != nil {
			return fmt.Errorf("client %d (%v, phase %s): %w", c.Number, c.Fate, c.Phase, err)
		}
	}
	return nil
}

func (o observation) checkError(c loadclient.Client) error {
	switch {
	case c.Fate == scenario.Reset && c.Errno != syscall.ECONNRESET:
		return fmt.Errorf("errno is %v, want ECONNRESET", c.Errno)
	case c.Fate == scenario.Reset && o.row.hop == "backend":
		return errors.New("the swarm was reset by the front, which accepts at once in this row")
	case c.Fate == scenario.BadStatus && !strings.Contains(c.Error, "hop front > backend "):
		return fmt.Errorf("the error does not name the hop that failed: %q", c.Error)
	case c.Fate == scenario.BadStatus && o.row.hop == "front":
		return fmt.Errorf("the backend failed, which accepts at once in this row: %q", c.Error)
	case !slices.Contains([]scenario.Fate{
		scenario.Served, scenario.Reset, scenario.BadStatus, scenario.SYNDropped, scenario.GhostOrKept, scenario.Queued,
	}, c.Fate):
		return fmt.Errorf("nothing in this row can bring that about: %q", c.Error)
	}
	return nil
}
