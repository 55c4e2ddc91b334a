package gate_test

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/rstlab/rstlab/tests/gate"
)

// A lab needs a test, here played by t, and privileges; so this example is compiled and
// not run.
var t *testing.T

func ExamplePlay() {
	c := gate.Defaults()
	c.Target, c.Port = "./myserver -listen :8080", 8080
	c.Clients, c.Stall = 400, 500*time.Millisecond
	result, err := gate.Play(t.Context(), t, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !result.Passed {
		t.Error(result.Sentence())
	}
}

// A setting is taken from the command line, else from the environment, else from the
// file rstlab.yaml.
func ExampleSettings() {
	flags := flag.NewFlagSet("gate", flag.ContinueOnError)
	settings := gate.NewSettings(flags)
	if err := flags.Parse([]string{"-target", "./myserver", "-port", "8080", "-stall", "1s"}); err != nil {
		fmt.Println(err)
		return
	}
	c, err := settings.Config(".", []string{"RSTLAB_GATE_CLIENTS=800"})
	fmt.Println(c.Target, c.Clients, c.Stall, c.Limits.Resets, err)
	// Output: ./myserver 800 1s 0 <nil>
}

func ExampleConfig_Validate() {
	c := gate.Defaults()
	c.Target = "./myserver"
	fmt.Println(c.Validate())
	// Output:
	// port is 0: want the port on which the target listens, from 1 to 65535
}
