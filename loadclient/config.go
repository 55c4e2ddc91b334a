package loadclient

import (
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
	Timeout  time.Duration // from a client's planned start to its fate; zero: 30 s

	// Control prepares each client's socket before it is bound and connected,
	// as in [net.Dialer]. It may put another socket behind the descriptor, as a
	// lab host's Control does, without which the clients are outside the lab.
	// Optional.
	Control func(network, address string, c syscall.RawConn) error

	// Sources are local addresses, all of one family: client i dials from
	// Sources[i mod len] with a port that the kernel chooses at connect. Empty:
	// the kernel chooses the address too.
	Sources []netip.Addr

	// Dial opens each client's connection in place of the swarm's own dialer,
	// so Control and Sources must be nil. It must be safe for concurrent use,
	// and heed its context, whose deadline is the client's. Closing what it
	// returns must unblock reads and writes. Optional.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// Decided is called once, when every client has its fate and before the
	// connections that are still open are closed: the moment to read counters
	// that the closing would move. Optional.
	Decided func()

	// Progress is where one line about the running swarm is rewritten, if it is
	// an [os.File] on a terminal; any other writer stays untouched. Optional.
	Progress io.Writer
}

// defaultTimeout bounds a client that nobody answers: long enough for four SYN
// retries, short enough to wait for.
const defaultTimeout = 30 * time.Second

// withDefaults fills in what was left zero.
func (c Config) withDefaults() Config {
	if c.Requests == 0 {
		c.Requests = 1
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.Waves == nil {
		c.Waves = scenario.Arrivals{{Clients: c.Clients, Gap: c.Gap}}
	}
	return c
}
