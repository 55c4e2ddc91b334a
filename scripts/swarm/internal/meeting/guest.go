package meeting

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// exchanges is how often a guest asks for the time. The quickest counts.
const exchanges = 8

// againTime is between two looks for shard 0.
const againTime = 200 * time.Millisecond

// refusal is the host's last word.
type refusal string

func (r refusal) Error() string { return string(r) }

// visit looks for shard 0 and goes to it, again and again: its name may not resolve yet,
// nobody may listen there yet, a proxy may listen on its behalf, and it may be restarted.
func (s Seat) visit(ctx context.Context) (Agreement, error) {
	over := time.After(s.Patience)
	for {
		agreement, err := s.attend(ctx)
		if _, final := errors.AsType[refusal](err); err == nil || final {
			return agreement, err
		}
		select {
		case <-ctx.Done():
			return Agreement{}, context.Cause(ctx)
		case <-over:
			return Agreement{}, fmt.Errorf("shard 0 of %d could not be met at %s within %v: %w", s.Shards, s.Address, s.Patience, err)
		case <-time.After(againTime):
		}
	}
}

// attend is one visit.
func (s Seat) attend(ctx context.Context) (Agreement, error) {
	dialer := net.Dialer{Timeout: quickTime}
	conn, err := dialer.DialContext(ctx, "tcp", s.Address)
	if err != nil {
		return Agreement{}, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	conn.SetDeadline(time.Now().Add(quickTime))
	in, out := json.NewDecoder(io.LimitReader(conn, mostSaid)), json.NewEncoder(conn)
	var w welcome
	if err := errors.Join(out.Encode(hello{s.Shard, s.Shards, s.Plan}), in.Decode(&w)); err != nil {
		return Agreement{}, fmt.Errorf("say hello: %w", err)
	}
	if w.Refused != "" {
		return Agreement{}, refusal("shard 0 refused this one: " + w.Refused)
	}
	measured, err := askTheTime(in, out)
	if err != nil {
		return Agreement{}, fmt.Errorf("ask for the time: %w", err)
	}
	conn.SetDeadline(time.Now().Add(w.Wait + quickTime))
	var v verdict
	if err := errors.Join(out.Encode(question{Ready: true, Error: measured.doubt()}), in.Decode(&v)); err != nil {
		return Agreement{}, fmt.Errorf("wait for the others: %w", err)
	}
	if v.Refused != "" {
		return Agreement{}, refusal("shard 0 gave the meeting up: " + v.Refused)
	}
	return Agreement{Start: time.Unix(0, v.Start), Ahead: measured.ahead(), Error: v.Error}, nil
}

func askTheTime(in *json.Decoder, out *json.Encoder) (exchange, error) {
	var all []exchange
	for range exchanges {
		begin := time.Now()
		var r reply
		if err := errors.Join(out.Encode(question{}), in.Decode(&r)); err != nil {
			return exchange{}, err
		}
		sent := begin.UnixNano()
		all = append(all, exchange{sent, r.Received, r.Answered, sent + time.Since(begin).Nanoseconds()})
	}
	return best(all), nil
}
