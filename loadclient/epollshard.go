package loadclient

import (
	"context"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/rstlab/rstlab/loadclient/response"
	"golang.org/x/sys/unix"
)

// epollShard is one thread's part of the clients.
type epollShard struct {
	*swarm
	request string
	to      rawAddr
	family  int
	first   int // client first, first+step, ... of the swarm are this shard's
	step    int

	sockets []socketState // by place: client first + place * step
	pacer   pacer
	late    bool // clients were due and not in the last batch
	expired int  // so many of the pacer's order are past their time
	left    int  // clients without a fate
	think   thinkers
	broken  map[int32]error   // why a client has no socket
	texts   map[string]string // of errors, each to itself

	seen   time.Duration // by the clock, when the thread last looked
	stalls Stalls

	epoll  descriptor
	wake   descriptor // an eventfd: the run was cancelled
	buffer []byte
	events []unix.EpollEvent
	info   unix.TCPInfo

	timeout unix.Timespec   // of the poll that is under way
	asked   unix.EpollEvent // of the last watch

	mu        sync.Mutex
	cancelled error // guarded by mu
}

// socketState is what a client needs beside its record while it lives: 48 bytes.
type socketState struct {
	fd     descriptor32
	sent   uint32 // bytes of the request that is under way
	answer response.Reader
	stage  stage
	wantsW bool // EPOLLOUT is asked for
}

type stage uint8

const (
	unstarted stage = iota
	connecting
	sending
	awaiting
	thinking
	over
)

// bufferSize is how much one read takes. One buffer serves all clients of a shard.
const bufferSize = 64 << 10

// startBatch is how many clients start before the others' events get their turn, and
// lateBatch of those that were due with them; eventBatch is how many events come before
// the next start does.
const (
	startBatch = 256
	lateBatch  = 32
	eventBatch = 64
)

func newEpollShard(s *swarm, target netip.AddrPort, request string, first, step int) *epollShard {
	n := (len(s.clients) - first + step - 1) / step
	shard := &epollShard{
		swarm: s, request: request, to: newRawAddr(target), family: unix.AF_INET, first: first, step: step,
		sockets: make([]socketState, n), left: n, epoll: noDescriptor, wake: noDescriptor,
		broken: map[int32]error{}, texts: map[string]string{},
		buffer: make([]byte, bufferSize), events: make([]unix.EpollEvent, eventBatch),
	}
	if target.Addr().Is6() {
		shard.family = unix.AF_INET6
	}
	for i := range shard.sockets {
		shard.sockets[i].fd = -1
	}
	shard.pacer = newPacer(n, func(place int32) time.Duration { return shard.client(place).Planned })
	return shard
}

func (s *epollShard) client(place int32) *Client { return &s.clients[s.first+int(place)*s.step] }

// prepare makes the sockets, and puts them into the epoll set while nobody waits for it.
func (s *epollShard) prepare(ctx context.Context) error {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	s.epoll = descriptor(fd)
	if fd, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return os.NewSyscallError("eventfd", err)
	}
	s.wake = descriptor(fd)
	if err := unix.EpollCtl(int(s.epoll), unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: -1}); err != nil {
		return os.NewSyscallError("epoll_ctl", err)
	}
	if s.cfg.Within != nil {
		return s.cfg.Within(func() error { return s.makeSockets(ctx) })
	}
	return s.makeSockets(ctx)
}

// run lives until every client of the shard has its fate.
func (s *epollShard) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer exactTimers()()
	if err := s.cancellation(); err != nil {
		s.endAll(err)
		return
	}
	for s.startDue(); s.left > 0; s.startDue() {
		s.handle(s.poll(s.idle(s.now())))
		s.wakeThinkers()
		s.expire()
		if err := s.cancellation(); err != nil {
			s.endAll(err)
			return // a client may have become due meanwhile, and has its fate
		}
	}
}

// startDue starts clients that are due, a batch of them at most: first the handshakes of
// all, so that those of a burst come as close upon one another as they can, and then the
// requests.
//
// What is due beyond a batch does not come together with it in any case. These clients ask
// as soon as they have connected: that is less work, at the server too, which finds the
// request when it accepts.
func (s *epollShard) startDue() {
	if s.late {
		s.late = s.startSome(lateBatch, s.send)
		return
	}
	first := s.pacer.started
	s.late = s.startSome(startBatch, s.lookConnected)
	for _, place := range s.pacer.order[first:s.pacer.started] {
		if s.sockets[place].stage < over {
			s.send(place)
		}
		s.now()
	}
}

// startSome begins the handshakes of at most n clients, with then behind each, and tells
// whether more are due.
func (s *epollShard) startSome(n int, then func(place int32)) (more bool) {
	for range n {
		place, due := s.pacer.next(s.now())
		if !due {
			return false
		}
		s.connect(place)
		if s.sockets[place].stage == connecting {
			then(place)
		}
	}
	return s.pacer.due(s.now())
}

// now is the time since the start of the run. Between two looks at the clock the thread
// has a call or two to make: the rest is for how long it was held up. A thread of its own
// that watched would take the turn of one that has clients, where there are as many of
// these as CPUs.
func (s *epollShard) now() time.Duration {
	now := s.swarm.now()
	s.stalls.add(now - s.seen)
	s.seen = now
	return now
}

// lookInterval is how long a thread sleeps at most: it sees then whether it wakes up late.
const lookInterval = 10 * time.Millisecond

// idle is how long nothing is due but what the sockets bring.
func (s *epollShard) idle(now time.Duration) time.Duration {
	wait := min(lookInterval, s.pacer.sleep(now))
	if s.expired < s.pacer.started {
		wait = min(wait, max(0, s.client(s.pacer.order[s.expired]).Planned+s.cfg.Timeout-now))
	}
	if at, ok := s.think.next(); ok {
		wait = min(wait, max(0, at-now))
	}
	return wait
}

// wakeThinkers lets those ask again who have thought long enough.
func (s *epollShard) wakeThinkers() {
	for {
		place, ok := s.think.wake(s.now())
		if !ok {
			return
		}
		if s.sockets[place].stage == thinking {
			s.ask(place)
		}
	}
}

// expire ends the clients whose time is over. All have the same time, so they end in the
// order of their planned starts.
func (s *epollShard) expire() {
	for s.expired < s.pacer.started && s.client(s.pacer.order[s.expired]).Planned+s.cfg.Timeout <= s.now() {
		place := s.pacer.order[s.expired]
		s.expired++
		s.timeOut(place)
	}
}

// cancel may be called from any goroutine.
func (s *epollShard) cancel(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancelled = cancelled(ctx)
	if s.wake == noDescriptor {
		return // it is over, and the number may be somebody else's by now
	}
	_, _ = unix.Write(int(s.wake), []byte{1, 0, 0, 0, 0, 0, 0, 0}) // of an eventfd: fails only when it is full of them
}

func (s *epollShard) cancellation() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cancelled
}

// endAll ends every client that has no fate yet.
func (s *epollShard) endAll(err error) {
	for place := range s.sockets {
		switch s.sockets[place].stage {
		case over:
		case unstarted:
			s.end(int32(place), failure{err: errBeforeStart})
		case connecting:
			s.end(int32(place), failure{PhaseDial, err})
		default:
			s.end(int32(place), failure{PhaseRead, err})
		}
	}
}

// seal completes the records of the clients whose connections are still open, and closes
// everything.
func (s *epollShard) seal() {
	for place := range s.sockets {
		s.release(int32(place))
	}
	s.epoll.close()
	s.epoll = noDescriptor
	s.mu.Lock() // a run that is cancelled at its very end
	defer s.mu.Unlock()
	s.wake.close()
	s.wake = noDescriptor
}
