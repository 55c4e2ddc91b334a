package witness_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/witness"
)

// The labs of these examples need a test, here played by t, and privileges; so the
// examples are compiled and not run.
var t *testing.T

func ExampleRecord() {
	client, server := netlab.New(t).Pair()
	rec := witness.Record(t, witness.Config{Trace: true}, client, server)
	if err := rec.TraceErr(); err != nil {
		t.Log("without the kernel's own reasons:", err)
	}
	// Here the run goes on, and clients say what they were told: rec.Told("read", ...).
	evidence := rec.Stop()
	for _, w := range evidence.Hosts {
		fmt.Println(w.Host, len(w.Packets), w.Moved().Only("OutRsts", "ListenOverflows"))
	}
	var file bytes.Buffer
	if err := witness.WritePcapng(&file, evidence); err != nil {
		t.Fatal(err)
	}
}
