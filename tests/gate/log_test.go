package gate

import (
	"bytes"
	"strings"
	"testing"
)

// What is too much is counted.
func TestServerLog(t *testing.T) {
	var l serverLog
	for range 5 {
		if n, err := l.Write(bytes.Repeat([]byte{'x'}, 1<<20)); n != 1<<20 || err != nil {
			t.Errorf("Write() = %d, %v", n, err)
		}
	}
	var text bytes.Buffer
	if err := l.writeTo(&text); err != nil {
		t.Fatal(err)
	}
	if got := text.String(); strings.Count(got, "x") != mostLog || !strings.HasSuffix(got, "x\n1048576 more bytes were not kept\n") {
		t.Errorf("the log has %d bytes and ends %q", len(got), got[max(0, len(got)-40):])
	}
}
