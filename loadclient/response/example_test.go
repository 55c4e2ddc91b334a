package response_test

import (
	"fmt"

	"github.com/rstlab/rstlab/loadclient/response"
)

// A response that arrives in three pieces, and the beginning of the next one.
func ExampleReader() {
	var r response.Reader
	for _, piece := range []string{"HTTP/1.1 200 O", "K\r\nContent-Length: 3\r\n\r\no", "k\nHTTP/1.1 404"} {
		used, err := r.Feed([]byte(piece))
		fmt.Println(used, "of", len(piece), err, "status", r.Status(), "done", r.Done())
	}
	// Output:
	// 14 of 14 <nil> status 0 done false
	// 25 of 25 <nil> status 200 done false
	// 2 of 14 <nil> status 200 done true
}
