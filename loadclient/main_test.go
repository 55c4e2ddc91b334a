package loadclient_test

import (
	"testing"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab"
)

// netlab.Main also looks for goroutines, descriptors and processes that are left.
func TestMain(m *testing.M) {
	loadclient.Child()
	netlab.Main(m, helloRole)
}
