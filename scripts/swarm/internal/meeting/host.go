package meeting

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// table is the meeting as shard 0 sees it.
type table struct {
	Seat
	end time.Time // shard 0 gives up then

	mu      sync.Mutex
	open    map[net.Conn]bool // that must be closed in the end
	seats   []*guest          // by shard; nil: not there
	refused string            // the last refusal
	full    chan struct{}     // closed when all are ready
	over    bool              // nothing that happens now counts
}

// guest is a shard that came.
type guest struct {
	out   *json.Encoder
	ready bool
	doubt time.Duration
}

// convene is Meet of shard 0, until all are there or expired.
func (s Seat) convene(ctx context.Context, ln net.Listener, expired <-chan time.Time) (Agreement, error) {
	t := &table{Seat: s, end: time.Now().Add(s.Patience), open: map[net.Conn]bool{}, seats: make([]*guest, s.Shards), full: make(chan struct{})}
	var serving sync.WaitGroup
	serving.Go(func() { t.accept(ln, &serving) })
	defer serving.Wait()
	defer t.closeAll()
	defer ln.Close()
	select {
	case <-t.full:
	case <-expired:
	case <-ctx.Done():
	}
	return t.conclude(context.Cause(ctx))
}

// mostOpen bounds the connections of strangers.
const mostOpen = 1000

func (t *table) accept(ln net.Listener, serving *sync.WaitGroup) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return // closed
		}
		if !t.admit(conn) {
			_ = conn.Close()
			continue
		}
		serving.Go(func() {
			defer t.dismiss(conn)
			t.receive(conn)
		})
	}
}

func (t *table) admit(conn net.Conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over || len(t.open) >= t.Shards+mostOpen {
		return false
	}
	t.open[conn] = true
	return true
}

func (t *table) dismiss(conn net.Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open, conn)
	_ = conn.Close()
}

// receive talks to whoever came until one of them leaves.
func (t *table) receive(conn net.Conn) {
	conn.SetDeadline(time.Now().Add(quickTime))
	in, g := json.NewDecoder(io.LimitReader(conn, mostSaid)), &guest{out: json.NewEncoder(conn)}
	var h hello
	if err := in.Decode(&h); err != nil {
		return // not one of us
	}
	if refused := t.sit(h, g); refused != "" {
		t.note(fmt.Sprintf("refused who came from %v: %s", conn.RemoteAddr(), refused))
		_ = g.out.Encode(welcome{Refused: refused}) // who has gone needs no answer
		return
	}
	defer t.leave(h.Shard)
	if err := g.out.Encode(welcome{Wait: max(0, time.Until(t.end))}); err != nil {
		return
	}
	for {
		var q question
		err := in.Decode(&q)
		received := time.Now()
		switch {
		case err != nil:
			return
		case q.Ready:
			conn.SetDeadline(time.Time{}) // it waits like us; the kernel's keep-alive sees that it is there
			t.settle(h.Shard, q.Error)
			_, _ = conn.Read(make([]byte, 1)) // says nothing more, so that it has left
			return
		default:
			if g.out.Encode(reply{received.UnixNano(), time.Now().UnixNano()}) != nil {
				return
			}
		}
	}
}

// sit gives a guest the seat of its shard, or the reason why not.
func (t *table) sit(h hello, g *guest) (refused string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if refused = t.objection(h); refused == "" && t.seats[h.Shard] != nil {
		refused = fmt.Sprintf("shard %d of %d is here already", h.Shard, t.Shards)
	}
	if refused == "" {
		t.seats[h.Shard] = g
	}
	return refused
}

// objection is why the guest does not belong here; empty: it does.
func (s Seat) objection(h hello) string {
	switch {
	case h.Shards != s.Shards:
		return fmt.Sprintf("it is shard %d of %d, and this is a meeting of %d", h.Shard, h.Shards, s.Shards)
	case h.Shard < 1 || h.Shard >= s.Shards:
		return fmt.Sprintf("it is shard %d of %d, want 1 to %d", h.Shard, h.Shards, s.Shards-1)
	case h.Plan != s.Plan:
		return fmt.Sprintf("shard %d is of plan %.1000q, and shard 0 of plan %.1000q: want the same in each", h.Shard, h.Plan, s.Plan)
	}
	return ""
}

// leave makes the seat free again.
func (t *table) leave(shard int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seats[shard] = nil
	if !t.over {
		t.Say(fmt.Sprintf("shard %d left; missing: %s", shard, t.missing()))
	}
}

// settle notes that a guest is ready.
func (t *table) settle(shard int, doubt time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over || t.seats[shard].ready {
		return
	}
	t.seats[shard].ready, t.seats[shard].doubt = true, doubt
	if missing := t.missing(); missing != "" {
		t.Say(fmt.Sprintf("shard %d is here; missing: %s", shard, missing))
		return
	}
	t.over = true
	close(t.full)
}

func (t *table) note(refused string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.refused = refused
	t.Say(refused)
}

// conclude sets the start, or tells everybody who is missing. The cause is why shard 0 does
// not wait any longer; nil: its patience is over.
func (t *table) conclude(cause error) (Agreement, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	missing := t.missing()
	if t.over || missing == "" { // over: somebody has left since all were ready, and learns of the start no more
		var doubt time.Duration
		for _, g := range t.seats {
			if g != nil {
				doubt = max(doubt, g.doubt)
			}
		}
		start := time.Now().Add(t.Lead).Round(0)
		t.tell(verdict{Start: start.UnixNano(), Error: doubt})
		return Agreement{Start: start, Error: doubt}, nil
	}
	t.over = true
	reason := fmt.Sprintf("%s of %d did not come", missing, t.Shards)
	if cause == nil {
		reason += fmt.Sprintf(" within %v", t.Patience)
	}
	if t.refused != "" {
		reason += "; shard 0 " + t.refused
	}
	if cause == nil {
		t.tell(verdict{Refused: reason})
		return Agreement{}, fmt.Errorf("the meeting was given up: %s", reason)
	}
	t.tell(verdict{Refused: fmt.Sprintf("%v, and %s", cause, reason)})
	return Agreement{}, fmt.Errorf("%w, and %s", cause, reason)
}

// tell speaks to all that are ready. Who has gone does not hear it.
func (t *table) tell(v verdict) {
	for _, g := range t.seats[1:] {
		if g != nil && g.ready {
			_ = g.out.Encode(v)
		}
	}
}

func (t *table) closeAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	for conn := range t.open {
		_ = conn.Close()
	}
}

// missing names the shards that are not ready, such as "shards 1 and 2"; empty: none.
func (t *table) missing() string {
	var numbers []string
	for shard, g := range t.seats {
		if shard > 0 && (g == nil || !g.ready) {
			numbers = append(numbers, fmt.Sprint(shard))
		}
	}
	return named(numbers)
}

// named puts shards into words.
func named(numbers []string) string {
	switch last := len(numbers) - 1; last {
	case -1:
		return ""
	case 0:
		return "shard " + numbers[0]
	default:
		return "shards " + strings.Join(numbers[:last], ", ") + " and " + numbers[last]
	}
}
