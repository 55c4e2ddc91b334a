package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"
)

// Lines between which a suite's output stands on the serial port.
const (
	markBegin = "kernels-begin"
	markEnd   = "kernels-end"
)

// section is what one suite left behind.
type section struct {
	suite  string
	output string // of the test binary, in the format that go tool test2json reads
	ended  bool   // the binary came to its end
	status int    // with which it exited
	took   time.Duration
}

// readSections reads the output of a machine until its end, and calls ended for each
// suite that has come to its end. The last section has not, if the machine did not.
func readSections(r io.Reader, ended func(section)) ([]section, error) {
	var all []section
	var open *section
	var text strings.Builder
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		var name, took string
		var status int
		if _, bad := fmt.Sscanf(line, markBegin+" %s\n", &name); bad == nil {
			all = append(all, section{suite: name})
			open = &all[len(all)-1]
			text.Reset()
		} else if _, bad := fmt.Sscanf(line, markEnd+" %s %d %s\n", &name, &status, &took); bad == nil && open != nil && open.suite == name {
			open.output, open.ended, open.status = text.String(), true, status
			open.took, _ = time.ParseDuration(took) // the guest printed it
			ended(*open)
			open = nil
		} else {
			text.WriteString(line)
		}
		if err != nil {
			if open != nil {
				open.output = text.String()
			}
			if err == io.EOF {
				err = nil
			}
			return all, err
		}
	}
}
