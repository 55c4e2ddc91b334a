package tests

import (
	"flag"
	"testing"

	"github.com/rstlab/rstlab/netlab"
)

var full = flag.Bool("full", false, "also run the rows that take up to 40 s: 800 and 2000 clients, 20 ms apart")

func TestMain(m *testing.M) {
	// The rows of the story mostly wait, so more of them fit than there are CPUs.
	// A -parallel on the command line is read later and wins.
	if err := flag.Set("test.parallel", "32"); err != nil {
		panic(err)
	}
	netlab.Main(m, frontRole, backendRole, deafRole, podRole)
}
