package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// storyProgram is the story's own client: the program that one writes without thinking of
// the load generator at all.
const storyProgram = "bench-story"

// storyPlan is what it does. With a gap it sleeps between two starts.
type storyPlan struct {
	Target  string
	Clients int
	Gap     time.Duration
}

// storyReport is all that it knows afterwards.
type storyReport struct{ OK, Failed int64 }

// runStory starts a goroutine for each client, with a transport of its own, and keeps
// every connection until all have their answers.
func runStory(args []string) error {
	plan, err := planOf[storyPlan](args)
	if err != nil {
		return err
	}
	var ok, failed atomic.Int64
	var all sync.WaitGroup
	for i := range plan.Clients {
		if i > 0 && plan.Gap > 0 {
			time.Sleep(plan.Gap)
		}
		all.Go(func() {
			client := &http.Client{Transport: &http.Transport{}, Timeout: 30 * time.Second}
			if err := get(client, plan.Target); err != nil {
				failed.Add(1)
				return
			}
			ok.Add(1)
		})
	}
	all.Wait()
	return json.NewEncoder(os.Stdout).Encode(storyReport{ok.Load(), failed.Load()})
}

func get(client *http.Client, target string) error {
	response, err := client.Get(target)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status is %s", response.Status)
	}
	return nil
}
