package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// told is what a tool says became of its clients, or of their requests.
type told struct{ OK, Failed int }

// swarmTold reads our own report. To have failed is to have been reset: a client with any
// other fate is missing in both.
func swarmTold(output string) (told, error) {
	var r swarmReport
	err := json.Unmarshal([]byte(output), &r)
	return told{r.Fates[scenario.Served], r.Fates[scenario.Reset]}, err
}

func storyTold(output string) (told, error) {
	var r told
	return r, json.Unmarshal([]byte(output), &r)
}

// wrkTold reads
//
//	16 requests in 2.00s, 1.02KB read
//	Socket errors: connect 0, read 84, write 0, timeout 0
//
// whose second line is missing where all are zero.
func wrkTold(output string) (told, error) {
	return numbers(output, `(\d+) requests in`,
		`Socket errors: connect (\d+)`, `Socket errors:.* read (\d+)`, `Socket errors:.* write (\d+)`, `Socket errors:.* timeout (\d+)`)
}

// h2loadTold reads
//
//	requests: 100 total, 100 started, 100 done, 16 succeeded, 84 failed, 84 errored, 0 timeout
func h2loadTold(output string) (told, error) {
	return numbers(output, `(\d+) succeeded`, `(\d+) failed`)
}

// autocannonTold reads JSON with the fields "2xx", "non2xx" and "errors"; time-outs are
// among the errors.
func autocannonTold(output string) (told, error) {
	return numbers(output, `"2xx":(\d+)`, `"errors":(\d+)`, `"non2xx":(\d+)`)
}

// heyTold reads
//
//	[200]	16 responses
//	[84]	Get "http://198.18.0.2:8080/": read tcp ...: connection reset by peer
//
// in which each kind of error has a line, and the error in it an address of its own.
func heyTold(output string) (told, error) {
	return numbers(output, `\[200\]\s+(\d+) responses`, `(?m)^\s*\[(\d+)\]\s+Get `)
}

// abTold reads
//
//	Complete requests:      100
//	Failed requests:        84
//
// in which the complete ones include those that failed.
func abTold(output string) (told, error) {
	t, err := numbers(output, `Complete requests:\s+(\d+)`, `Failed requests:\s+(\d+)`)
	t.OK -= t.Failed
	return t, err
}

// httperfTold reads
//
//	Total: connections 100 requests 16 replies 16 test-duration 1.002 s
//	Errors: total 84 client-timo 0 socket-timo 0 connrefused 0 connreset 84
func httperfTold(output string) (told, error) {
	return numbers(output, `replies (\d+)`, `Errors: total (\d+)`)
}

// siegeTold reads
//
//	{	"transactions":			          16,
//		"failed_transactions":		          84,
func siegeTold(output string) (told, error) {
	return numbers(output, `"transactions":\s+(\d+)`, `"failed_transactions":\s+(\d+)`)
}

// numbers finds the number after ok, and sums up all numbers after the patterns of
// failures, of which none need be there. Each pattern has one group.
func numbers(output, ok string, failed ...string) (told, error) {
	var t told
	if t.OK = sum(output, ok); t.OK < 0 {
		return t, fmt.Errorf("%q is not in its output:\n%s", ok, output)
	}
	for _, pattern := range failed {
		t.Failed += max(0, sum(output, pattern))
	}
	return t, nil
}

// sum adds up what the pattern's group matches; negative: it matches nothing.
func sum(text, pattern string) int {
	matches := regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1)
	if matches == nil {
		return -1
	}
	total := 0
	for _, match := range matches {
		n, err := strconv.Atoi(match[1])
		if err != nil {
			return -1 // too many digits for a count
		}
		total += n
	}
	return total
}
