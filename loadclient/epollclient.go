package loadclient

import (
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

var errBehind = errors.New("malformed response: there is more behind it than its length")

// handle goes on with the clients whose sockets have news.
func (s *epollShard) handle(events []unix.EpollEvent) {
	const news = unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
	for i := range events {
		place, what := events[i].Fd, events[i].Events
		if place < 0 { // the run was cancelled, which is looked at in any case
			continue
		}
		state := &s.sockets[place]
		if state.stage == connecting || state.stage == sending {
			s.send(place)
		}
		ended := what&(news&^unix.EPOLLIN) != 0
		if what&news != 0 && state.stage > connecting && state.stage < over {
			s.receive(place, ended)
		}
		if ended && state.stage == over {
			s.release(place) // the server has closed behind its answer, so that there is nothing to keep
		}
	}
}

// connect begins the client's handshake.
func (s *epollShard) connect(place int32) {
	c, state := s.client(place), &s.sockets[place]
	c.Started = s.now()
	s.tally.started.Add(1)
	state.stage = connecting
	if err := s.broken[place]; err != nil {
		s.end(place, failure{PhaseDial, err})
		return
	}
	if errno := s.connectCall(state.fd); errno != 0 && errno != unix.EINPROGRESS {
		s.fail(place, PhaseDial, "connect", errno)
	}
}

// lookConnected notices that a connection stands, as it does over a short link when
// connect returns. TCP_INFO takes no error away from the calls to come.
func (s *epollShard) lookConnected(place int32) {
	if readTCPInfo(int(s.sockets[place].fd), &s.info) && s.info.State == unix.BPF_TCP_ESTABLISHED {
		s.connected(place)
	}
}

// send sends what is left of the request. An error of a socket that was connecting is
// that of its connect.
func (s *epollShard) send(place int32) {
	c, state := s.client(place), &s.sockets[place]
	n, errno := s.sendCall(state.fd, state.sent)
	switch {
	case errno == unix.EAGAIN && state.wantsW:
	case errno == unix.EAGAIN:
		state.wantsW = true
		if err := s.watch(unix.EPOLL_CTL_MOD, int(state.fd), place, unix.EPOLLOUT); err != nil {
			s.end(place, failure{PhaseDial, setupError{os.NewSyscallError("epoll_ctl", err)}})
		}
	case errno != 0 && state.stage == connecting:
		s.fail(place, PhaseDial, "connect", errno)
	case errno == unix.EPIPE: // closed by the server: perhaps it said why
		if s.receive(place, true); state.stage != over {
			s.fail(place, PhaseWrite, "write", errno)
		}
	case errno != 0:
		s.fail(place, PhaseWrite, "write", errno)
	default:
		if state.stage == connecting {
			s.connected(place)
		}
		c.Sent += int64(n)
		if state.sent += uint32(n); int(state.sent) == len(s.request) {
			state.stage = awaiting
		}
	}
}

// synTimeout is shorter than the time after which a kernel first repeats a SYN, 1 s.
const synTimeout = 500 * time.Millisecond

func (s *epollShard) connected(place int32) {
	c, state := s.client(place), &s.sockets[place]
	c.Connected = s.now()
	s.tally.connected.Add(1)
	state.stage = sending
	if c.Connected-c.Started > synTimeout && readTCPInfo(int(state.fd), &s.info) {
		c.TCP.SYNRetries = s.info.Total_retrans
	}
}

// receive reads what has come. Ended tells that the socket said more than that there
// is something, so that the end must be read too.
func (s *epollShard) receive(place int32, ended bool) {
	c, state := s.client(place), &s.sockets[place]
	for state.stage != over {
		n, errno := s.receiveCall(state.fd)
		switch {
		case errno == unix.EAGAIN:
			return
		case errno != 0:
			s.fail(place, PhaseRead, "read", errno)
		case n == 0:
			s.endOfStream(place)
		default:
			if c.Received == 0 {
				c.FirstByte = s.now()
			}
			c.Received += int64(n)
			s.read(place, s.buffer[:n])
			if n < len(s.buffer) && !ended {
				return
			}
		}
	}
}

func (s *epollShard) read(place int32, p []byte) {
	state := &s.sockets[place]
	n, err := state.answer.Feed(p)
	s.client(place).Status = state.answer.Status()
	switch {
	case err != nil:
		s.end(place, failure{PhaseAnswer, err})
	case state.answer.Done():
		s.answered(place, len(p)-n)
	}
}

func (s *epollShard) endOfStream(place int32) {
	if err := s.sockets[place].answer.End(); err != nil {
		s.end(place, failure{PhaseRead, err})
		return
	}
	s.answered(place, 0)
}

// answered is the end of an answer. There may be more bytes behind it.
func (s *epollShard) answered(place int32, more int) {
	c, state := s.client(place), &s.sockets[place]
	if c.Status >= 400 {
		s.end(place, failure{PhaseAnswer, badStatus{c.Status, state.answer.Excerpt()}})
		return
	}
	c.Answered++
	closes := state.answer.Closes()
	switch {
	case c.Answered == s.cfg.Requests:
		s.end(place, failure{})
		return
	case closes:
		state.answer.Next()
		s.end(place, failure{PhaseRead, closedEarly(c.Answered, s.cfg.Requests)})
		return
	case more > 0:
		s.end(place, failure{PhaseAnswer, errBehind})
		return
	}
	state.answer.Next()
	if s.cfg.Think > 0 {
		state.stage = thinking
		s.think.add(place, s.now()+s.cfg.Think)
		return
	}
	s.ask(place)
}

// ask sends another request.
func (s *epollShard) ask(place int32) {
	s.sockets[place].stage, s.sockets[place].sent = sending, 0
	s.send(place)
}

// timeOut ends a client whose time is over, unless its answer is there at the same
// moment.
func (s *epollShard) timeOut(place int32) {
	state := &s.sockets[place]
	if state.stage > connecting && state.stage < over {
		s.receive(place, true)
	}
	switch state.stage {
	case over:
	case connecting:
		s.end(place, failure{PhaseDial, os.ErrDeadlineExceeded})
	case unstarted, thinking:
		s.end(place, failure{PhaseAnswer, os.ErrDeadlineExceeded})
	default:
		s.end(place, failure{PhaseRead, os.ErrDeadlineExceeded})
	}
}

func (s *epollShard) fail(place int32, phase Phase, call string, errno syscall.Errno) {
	s.end(place, failure{phase, os.NewSyscallError(call, errno)})
}

// end gives the client its fate. A connection over which it was answered stays open.
func (s *epollShard) end(place int32, f failure) {
	c, state := s.client(place), &s.sockets[place]
	stage := state.stage
	state.stage = over
	s.left--
	_, bad := errors.AsType[badStatus](f.err)
	if keep := f.err == nil || bad; !keep && state.fd >= 0 {
		c.Local = localAddr(int(state.fd))
		c.TCP = tcpOf(int(state.fd), &s.info, stage != connecting, c.TCP.SYNRetries)
		descriptor(state.fd).close()
		state.fd = -1
	}
	s.swarm.end(c, f, state.answer.Begun())
	c.Error = s.shared(c.Error)
}

// shared gives clients that failed alike the same text.
func (s *epollShard) shared(text string) string {
	if len(s.texts) > manyTexts {
		return text
	}
	if known, ok := s.texts[text]; ok {
		return known
	}
	s.texts[text] = text
	return text
}

// manyTexts bounds the texts that are looked up: a server may say something else to each
// client.
const manyTexts = 1000

// release completes the record of a client whose connection is still open, and closes
// it.
func (s *epollShard) release(place int32) {
	state := &s.sockets[place]
	if state.fd < 0 {
		return
	}
	if c := s.client(place); state.stage == over {
		c.Local = localAddr(int(state.fd))
		c.TCP = tcpOf(int(state.fd), &s.info, true, c.TCP.SYNRetries)
	}
	descriptor(state.fd).close()
	state.fd = -1
}
