// Command hello is a server like any other: rstlab knows nothing of it.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
)

func main() { log.Fatal(serve(os.Args[1:])) }

// serve answers hello on the address that is its only argument, such as ":8080".
func serve(args []string) error {
	return http.ListenAndServe(args[0], http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "hello")
	}))
}
