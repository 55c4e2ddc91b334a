package meeting

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab"
)

func TestMain(m *testing.M) { netlab.Main(m) }

// patience is longer than any of these tests.
const patience = time.Minute

// outcome is how a meeting ended for one shard.
type outcome struct {
	Agreement
	err error
}

// meetingRoom is a meeting at a loopback address.
type meetingRoom struct {
	Seat
	ln      net.Listener
	expired chan time.Time // the host's patience
	said    chan string
	host    chan outcome
}

func openRoom(t *testing.T, shards int) *meetingRoom {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	r := &meetingRoom{ln: ln, expired: make(chan time.Time), said: make(chan string, 100), host: make(chan outcome, 1)}
	r.Seat = Seat{
		Address: ln.Addr().String(), Shards: shards, Plan: "p", Patience: patience, Lead: time.Hour,
		Say: func(sentence string) { r.said <- sentence },
	}
	return r
}

// convene lets shard 0 wait for the others.
func (r *meetingRoom) convene(ctx context.Context) *meetingRoom {
	go func() {
		a, err := r.Seat.convene(ctx, r.ln, r.expired)
		r.host <- outcome{a, err}
	}()
	return r
}

// guest lets another shard come.
func (r *meetingRoom) guest(ctx context.Context, shard int, edit func(*Seat)) <-chan outcome {
	s := r.Seat
	s.Shard = shard
	if edit != nil {
		edit(&s)
	}
	done := make(chan outcome, 1)
	go func() {
		a, err := Meet(ctx, s)
		done <- outcome{a, err}
	}()
	return done
}

// saw wants the host's next sentence to end like this.
func (r *meetingRoom) saw(t *testing.T, want string) {
	t.Helper()
	if got := within(t, r.said, "the host to say "+want); !strings.HasSuffix(got, want) {
		t.Errorf("the host says %q, want %q", got, want)
	}
}

// within waits for what comes in milliseconds.
func within[T any](t *testing.T, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(20 * time.Second):
		t.Fatalf("still waiting for %s", what)
	}
	return v
}

func failed(t *testing.T, who string, c <-chan outcome, want string) {
	t.Helper()
	if got := within(t, c, who).err; got == nil || got.Error() != want {
		t.Errorf("%s got %v\nwant %s", who, got, want)
	}
}

// agree wants all to have the same start, and clocks that are the same to be found so.
func (r *meetingRoom) agree(t *testing.T, begin time.Time, guests ...<-chan outcome) {
	t.Helper()
	host := within(t, r.host, "the host's agreement")
	if lead := host.Start.Sub(begin); host.err != nil || lead < r.Lead || time.Until(host.Start) > r.Lead || host.Ahead != 0 || host.Error <= 0 {
		t.Errorf("the host agreed to %+v, a start %v after the beginning; want %v from when all were there", host, lead, r.Lead)
	}
	for i, guest := range guests {
		got := within(t, guest, fmt.Sprintf("guest %d", i))
		if got.err != nil || !got.Start.Equal(host.Start) || got.Error != host.Error || got.Ahead.Abs() > host.Error {
			t.Errorf("guest %d agreed to %+v, want the host's %+v, and the clock no further ahead than its error", i, got, host)
		}
	}
}

func TestMeet(t *testing.T) {
	t.Parallel()
	r, begin := openRoom(t, 4), time.Now()
	r.convene(t.Context())
	third := r.guest(t.Context(), 3, nil)
	r.saw(t, "shard 3 is here; missing: shards 1 and 2")
	first := r.guest(t.Context(), 1, nil)
	r.saw(t, "shard 1 is here; missing: shard 2")
	second := r.guest(t.Context(), 2, nil)
	r.agree(t, begin, first, second, third)
}

// Who comes before shard 0 finds nobody, or a proxy that closes at once, and tries again.
func TestGuestsComeFirst(t *testing.T) {
	t.Parallel()
	r, begin := openRoom(t, 2), time.Now()
	guest := r.guest(t.Context(), 1, nil)
	for range 2 {
		conn, err := r.ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
	r.convene(t.Context())
	r.agree(t, begin, guest)
}

func TestNobodyIsThere(t *testing.T) {
	t.Parallel()
	r := openRoom(t, 3)
	r.ln.Close()
	guest := within(t, r.guest(t.Context(), 1, func(s *Seat) { s.Patience = time.Millisecond }), "the guest")
	want := "shard 0 of 3 could not be met at " + r.Address + " within 1ms: "
	if guest.err == nil || !strings.HasPrefix(guest.err.Error(), want) {
		t.Errorf("the guest got %v, want %s...", guest.err, want)
	}
	_, err := Meet(t.Context(), Seat{Address: "nowhere", Shards: 2})
	if want := "address nowhere: missing port in address"; err == nil || err.Error() != want {
		t.Errorf("Meet() = %v, want %s", err, want)
	}
}

// Somebody who does not belong to the run is told so, and the meeting goes on.
func TestRefused(t *testing.T) {
	t.Parallel()
	r, begin := openRoom(t, 3), time.Now()
	r.convene(t.Context())
	first := r.guest(t.Context(), 1, nil)
	r.saw(t, "shard 1 is here; missing: shard 2")
	for _, test := range []struct {
		name  string
		shard int
		edit  func(*Seat)
		want  string
	}{
		{"another plan", 2, func(s *Seat) { s.Plan = "q\x1b" }, `shard 2 is of plan "q\x1b", and shard 0 of plan "p": want the same in each`},
		{"more shards", 2, func(s *Seat) { s.Shards = 4 }, "it is shard 2 of 4, and this is a meeting of 3"},
		{"a shard beyond them", 3, nil, "it is shard 3 of 3, want 1 to 2"},
		{"a second of a kind", 1, nil, "shard 1 of 3 is here already"},
	} {
		guest := r.guest(t.Context(), test.shard, test.edit)
		r.saw(t, ": "+test.want)
		failed(t, test.name, guest, "shard 0 refused this one: "+test.want)
	}
	r.agree(t, begin, first, r.guest(t.Context(), 2, nil))
}

// When the patience is over, everybody says who is missing, and who was refused.
func TestMissing(t *testing.T) {
	t.Parallel()
	r := openRoom(t, 3)
	r.Patience = 17 * time.Second
	r.convene(t.Context())
	first := r.guest(t.Context(), 1, nil)
	r.saw(t, "shard 1 is here; missing: shard 2")
	other := r.guest(t.Context(), 2, func(s *Seat) { s.Shards = 4 })
	refused := within(t, r.said, "the refusal")
	within(t, other, "who was refused")
	r.expired <- time.Time{}
	reason := "shard 2 of 3 did not come within 17s; shard 0 " + refused
	failed(t, "the host", r.host, "the meeting was given up: "+reason)
	failed(t, "the guest", first, "shard 0 gave the meeting up: "+reason)
}

var errStop = errors.New("stopped")

func TestHostIsStopped(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	r := openRoom(t, 3).convene(ctx)
	second := r.guest(t.Context(), 2, nil)
	r.saw(t, "shard 2 is here; missing: shard 1")
	cancel(errStop)
	host := within(t, r.host, "the host")
	if want := "stopped, and shard 1 of 3 did not come"; !errors.Is(host.err, errStop) || host.err.Error() != want {
		t.Errorf("the host got %v, want %s", host.err, want)
	}
	failed(t, "the guest", second, "shard 0 gave the meeting up: stopped, and shard 1 of 3 did not come")
}

// A shard that leaves, as a pod does that is restarted, may come again.
func TestGuestLeaves(t *testing.T) {
	t.Parallel()
	r, begin := openRoom(t, 3), time.Now()
	r.convene(t.Context())
	ctx, cancel := context.WithCancelCause(t.Context())
	first := r.guest(ctx, 1, nil)
	r.saw(t, "shard 1 is here; missing: shard 2")
	cancel(errStop)
	failed(t, "the guest", first, "stopped")
	r.saw(t, "shard 1 left; missing: shards 1 and 2")
	second := r.guest(t.Context(), 2, nil)
	r.saw(t, "shard 2 is here; missing: shard 1")
	r.agree(t, begin, second, r.guest(t.Context(), 1, nil))
}

// A guest whose host is gone without a word looks for it again.
func TestHostLeaves(t *testing.T) {
	t.Parallel()
	r, begin := openRoom(t, 2), time.Now()
	guest := r.guest(t.Context(), 1, nil)
	conn, err := r.ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(conn, `{"wait_ns":60000000000}`)
	for range exchanges {
		fmt.Fprintln(conn, `{"received_ns":1,"answered_ns":2}`)
	}
	conn.Close()
	r.convene(t.Context())
	r.agree(t, begin, guest)
}

// Strangers are not served, and do not get in the way.
func TestStrangers(t *testing.T) {
	t.Parallel()
	r, begin := openRoom(t, 2), time.Now()
	r.convene(t.Context())
	const valid = `{"shard":1,"shards":2,"plan":"p"}` + "\n"
	for _, test := range []struct{ name, text, answer string }{
		{"another protocol", "GET / HTTP/1.1\r\n\r\n", ""},
		{"too much", strings.Repeat(" ", 2*mostSaid) + valid, ""},
		{"no question", valid + "hello\n", `{"wait_ns":`},
	} {
		conn := r.call(t)
		fmt.Fprint(conn, test.text)   // may fail: it is not listened to for long
		answer, _ := io.ReadAll(conn) // until the host closes, or resets what it has not read
		if got := string(answer); !strings.HasPrefix(got, test.answer) || (got == "") != (test.answer == "") {
			t.Errorf("%s: the host answers %q, want %q...", test.name, got, test.answer)
		}
	}
	r.saw(t, "shard 1 left; missing: shard 1")
	r.call(t) // says nothing
	r.agree(t, begin, r.guest(t.Context(), 1, nil))
}

// call connects to the host.
func (r *meetingRoom) call(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", r.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// Who leaves when all were ready cannot call the others back.
func TestGuestLeavesLate(t *testing.T) {
	t.Parallel()
	var told bytes.Buffer
	all := table{Seat: Seat{Shards: 3, Lead: time.Hour}, over: true, seats: []*guest{nil, nil, {json.NewEncoder(&told), true, 7}}}
	got, err := all.conclude(errStop)
	if want := fmt.Sprintf("{\"start_ns\":%d,\"error_ns\":7}\n", got.Start.UnixNano()); err != nil || got.Error != 7 || told.String() != want {
		t.Errorf("conclude() = %+v, %v, and the guest hears %s, want %s", got, err, told.String(), want)
	}
}
