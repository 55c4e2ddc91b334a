package loadclient_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// A burst of 100 clients with two requests each. Times and addresses differ from run
// to run, so only the fates are printed.
func ExampleRun() {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	result, err := loadclient.Run(context.Background(), loadclient.Config{
		Target:   server.URL,
		Clients:  100,
		Requests: 2,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Fates)
	fmt.Println("client 99 was answered", result.Clients[99].Answered, "times")
	// Output:
	// served 100
	// client 99 was answered 2 times
}

// Sixty clients fill the queue, then ten arrive 20 ms apart.
func ExampleRun_waves() {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	result, err := loadclient.Run(context.Background(), loadclient.Config{
		Target: server.URL,
		Waves: scenario.Arrivals{
			{Clients: 60},
			{Clients: 10, At: 100 * time.Millisecond, Gap: 20 * time.Millisecond},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Fates, "- client 61 was due at", result.Clients[61].Planned)
	// Output: served 70 - client 61 was due at 120ms
}

// A storm: 500 clients at once, three requests each with a pause between them, on
// non-blocking sockets.
func ExampleRun_epoll() {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	result, err := loadclient.Run(context.Background(), loadclient.Config{
		Engine:   loadclient.Epoll,
		Target:   server.URL,
		Clients:  500,
		Requests: 3,
		Think:    10 * time.Millisecond,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	answers := result.AnswerTimes()
	fmt.Println(result.Fates, "-", answers.TotalCount(), "first answers, half of them within a minute:", answers.ValueAtPercentile(50) < 60_000_000)
	// Output: served 500 - 500 first answers, half of them within a minute: true
}

// Two shards of one run, on two machines perhaps, start together and merge into what
// one run would have been.
func ExampleMerge() {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	cfg := loadclient.Config{Engine: loadclient.Epoll, Target: server.URL, Clients: 101, Shards: 2, Start: time.Now().Add(2 * time.Second)}
	results := make([]loadclient.Result, cfg.Shards)
	var shards sync.WaitGroup
	for i := range results {
		own := cfg
		own.Shard = i
		shards.Go(func() { results[i], _ = loadclient.Run(context.Background(), own) })
	}
	shards.Wait()
	merged, err := loadclient.Merge(results...)
	fmt.Println(len(results[0].Clients), len(results[1].Clients), merged.Fates, err)
	// Output: 51 50 served 101 <nil>
}
