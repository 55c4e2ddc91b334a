package loadclient_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
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
