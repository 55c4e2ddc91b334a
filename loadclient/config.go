package loadclient

import (
	"cmp"
	"context"
	"io"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// Config says what a swarm does. Target and either Clients or Waves are needed;
// every other field may be left out.
type Config struct {
	Engine Engine // how the clients are made; zero: HTTP

	// Target is the absolute http URL every client asks for, such as
	// "http://198.18.0.2:8080/", or for a server that does not speak HTTP
	// "tcp://198.18.0.2:6379". A host name is resolved once, before the
	// start, and one address taken for all clients: one of the family of
	// Sources, else an IPv4 address where there is one. With Dial the name goes
	// to Dial as it is.
	Target string

	// Send is a client's request to a tcp Target, and Expect the beginning of the
	// answer, which is read that far and no further: a whole answer where there are
	// several Requests. Without Send the server speaks first. Expect is needed:
	// nothing else tells a client that was accepted.
	Send, Expect string

	Clients int               // how many; zero only with Waves
	Gap     time.Duration     // between the planned starts of two clients; zero: a burst
	Waves   scenario.Arrivals // several bursts or paces; Clients and Gap must then be zero

	Requests int           // requests of each client, one after another; zero: 1
	Think    time.Duration // between an answer and the client's next request; zero: none
	Timeout  time.Duration // from a client's planned start to its fate, thinking included; zero: 30 s

	// Start is when the run begins, by the wall clock, the same for the shards of one
	// run. It must lie far enough ahead for every client to be made. Zero: at once.
	Start time.Time

	// ClockAhead is by how much this machine's wall clock is ahead of the one that Start is
	// told by, and ClockError how far that may be wrong, if somebody has measured it. The
	// run begins by the other clock. Zero: the clocks agree; its error is unknown or what
	// the kernel reckons.
	ClockAhead, ClockError time.Duration

	// Shard is which part of the run this is, from zero, and Shards how many there are:
	// client i belongs to shard i mod Shards. The clients and their arrivals are those of
	// the whole run in each. [Merge] joins the results. Zero Shards: 1, all of it.
	Shard, Shards int

	// Control prepares each client's socket before it is bound and connected,
	// as in [net.Dialer]. It may put another socket behind the descriptor, as a
	// lab host's Control does, without which the clients are outside the lab. It is
	// called for one client after another, or for several at once. Optional.
	Control func(network, address string, c syscall.RawConn) error

	// Within runs a function on a thread of the network namespace in which the clients
	// are to be, as a lab host's Do does. With it the engine Epoll makes all its sockets in
	// a few calls, which takes a twentieth of the time of Control, and starts its child
	// processes there. It replaces Control, and only Epoll takes it. With either of them
	// Epoll has one thread, so that SYNs come in their order. Optional.
	Within func(fn func() error) error

	// Sources are local addresses, all of one family: client i dials from
	// Sources[i mod len]. The port is chosen by the kernel at connect, or where one
	// address has more than 10,000 clients by the swarm, from 1024 up. Empty: the kernel
	// chooses the address.
	Sources []netip.Addr

	// Dial opens each client's connection in place of the swarm's own dialer,
	// so Control and Sources must be nil. It must be safe for concurrent use,
	// and heed its context, whose deadline is the client's. Closing what it
	// returns must unblock reads and writes. Only the engine HTTP takes it. Optional.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// Decided is called once, when every client has its fate and before the
	// connections that are still open are closed: the moment to read counters
	// that the closing would move. Optional.
	Decided func()

	// Progress is where one line about the running swarm is rewritten, if it is
	// an [os.File] on a terminal; any other writer stays untouched. A swarm in child
	// processes shows none. Optional.
	Progress io.Writer
}

// defaultTimeout bounds a client that nobody answers: long enough for four SYN
// retries, short enough to wait for.
const defaultTimeout = 30 * time.Second

// withDefaults fills in what was left zero.
func (c Config) withDefaults() Config {
	c.Requests = cmp.Or(c.Requests, 1)
	c.Timeout = cmp.Or(c.Timeout, defaultTimeout)
	c.Shards = cmp.Or(c.Shards, 1)
	if c.Waves == nil {
		c.Waves = scenario.Arrivals{{Clients: c.Clients, Gap: c.Gap}}
	}
	return c
}

// ownClients is how many clients are this shard's.
func (c Config) ownClients() int {
	return (c.Waves.Clients() - c.Shard + c.Shards - 1) / c.Shards
}
