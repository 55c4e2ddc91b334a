package netlab

import (
	"fmt"
	"slices"
	"time"
)

// listenTimeout bounds what normally takes milliseconds.
const listenTimeout = 10 * time.Second

// WaitListening returns when some socket of the host listens on the TCP port, and ends
// the test if that takes more than ten seconds; see [Proc.AwaitListening].
func (p *Proc) WaitListening(port int) *Proc {
	p.host.lab.tb.Helper()
	if err := p.AwaitListening(port, listenTimeout); err != nil {
		p.host.lab.tb.Fatalf("netlab: host %s: %v", p.host.name, err)
	}
	return p
}

// AwaitListening returns when some socket of the host listens on the TCP port, as the
// kernel's socket diagnosis shows it: no connection is made, so no accept is spent. If
// the program ends first or needs longer than patience, the error says what does listen
// in the host, and has the program's last lines of output.
func (p *Proc) AwaitListening(port int, patience time.Duration) error {
	if err := p.awaitListening(port, patience); err != nil {
		return fmt.Errorf("%w%s", err, p.output.lastLines())
	}
	return nil
}

func (p *Proc) awaitListening(port int, patience time.Duration) error {
	// The kernel announces no listener, so it has to be asked again and again.
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	timeout := time.After(patience)
	for {
		queues, err := p.host.acceptQueues()
		if err != nil {
			return err
		}
		if slices.ContainsFunc(queues, func(q AcceptQueue) bool { return int(q.Addr.Port()) == port }) {
			return nil
		}
		select {
		case <-again.C:
		case <-p.done:
			return fmt.Errorf("%s ended before it listened on port %d: %s", p.name, port, p.status)
		case <-timeout:
			return fmt.Errorf("%s does not listen on port %d after %v; %s", p.name, port, patience, instead(queues))
		}
	}
}

// instead says what to do about a port on which nobody listens.
func instead(queues []AcceptQueue) string {
	if len(queues) == 0 {
		return "nothing listens in the host: give it longer, or look why it does not"
	}
	return fmt.Sprintf("listening in the host: %v; ask for one of these ports", ports(queues))
}
