package witness

import (
	"sync"
	"time"

	"github.com/rstlab/rstlab/netlab"
)

// sampler looks at the counters and queues of all hosts again and again.
type sampler struct {
	start time.Time
	quit  chan struct{}
	done  chan struct{}

	mu       sync.Mutex    // held while it looks
	counters []*counterLog // by host
	queues   []*queueLog   // by host
}

// startSampler takes the first sample, and then one each interval.
func startSampler(start time.Time, interval time.Duration, hosts []*netlab.Host) *sampler {
	s := &sampler{start: start, quit: make(chan struct{}), done: make(chan struct{})}
	for _, h := range hosts {
		s.counters = append(s.counters, &counterLog{host: h})
		s.queues = append(s.queues, &queueLog{host: h})
	}
	s.look(true)
	go s.run(interval)
	return s
}

// run ends with quit. Should a host not answer, its methods end the test with Fatalf,
// which ends this goroutine: done is closed all the same, so that nobody waits for it.
func (s *sampler) run(interval time.Duration) {
	defer close(s.done)
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.look(false)
		case <-s.quit:
			return
		}
	}
}

// longestReading bounds how long a reading may take. A diagnosis takes it for an instant
// and allows a few milliseconds; one that a busy machine held up longer is not kept, and
// what it had stands in the next one.
const longestReading = 2 * time.Millisecond

// look takes a sample of every host.
func (s *sampler) look(all bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.counters {
		s.lookAt(i, all)
	}
}

// lookAt takes a sample of one host. Its time is the one just before it was read: what it
// does not have yet happened later than that. With all set it is kept however long it
// took. Counters and queues have one time and are kept together or not at all: counters
// that moved beside a queue that seems not to have would tell that another was meant.
func (s *sampler) lookAt(i int, all bool) {
	counters, queues := s.counters[i], s.queues[i]
	at := time.Since(s.start)
	now := counters.host.Counters()
	readings := queues.host.QueueSamples()
	if !all && time.Since(s.start)-at > longestReading {
		return
	}
	counters.note(at, now, all)
	queues.note(s.start, at, readings, all)
}

// halt ends the goroutine.
func (s *sampler) halt() {
	close(s.quit)
	<-s.done
}
