// Command field measures the accept queues of servers that people really run.
//
//	sudo go run ./scripts/field [-servers nginx,redis] [-markdown FILE] [-json FILE]
//
// Each server is started as it comes in a lab host, from Debian's packages, with a port and
// a temporary folder and nothing tuned. Then, one server at a time:
//
//   - the backlog it asks listen(2) for is seen under a net.core.somaxconn of 1000003, the
//     limit it gets under the default 4096, both through sock_diag;
//   - it is stalled, and a burst grows one client at a time until a SYN is not answered.
//     That is the largest burst, and one more. It goes on, and all are to be answered;
//   - it is stalled with room for some clients, and twice as many come whose handshakes are
//     all under way at once; then too it goes on.
//
// The last two are played with tcp_abort_on_overflow off and on, and netlab/predict has to
// have foretold every fate and every counter at both ends.
//
// The table goes to standard output as Markdown, or to the file after -markdown, and to the
// file after -json in full. A server that is not installed is skipped by name. The exit
// status is 1 if a server differs from what was predicted, or cannot be measured, and 2
// for a flag that makes no sense (go run makes 1 of both).
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/rstlab/rstlab/netlab/wire"
	"github.com/rstlab/rstlab/scripts/internal/commandline"
	"github.com/rstlab/rstlab/scripts/internal/program"
	"golang.org/x/sys/unix"
)

// The exit statuses.
const (
	statusDiffers = 1 // or it could not be measured
	statusBad     = 2
)

// options are what the command line asks for.
type options struct {
	servers        []server
	markdown, json string // files; empty: standard output, and none
}

// The servers are started by way of this program, so the command line is looked at only
// where it is known to be the survey's.
func main() { netlab.Main(surveyor{}, netlab.Role{Name: goRole, Run: serveGo}) }

// surveyor is what runs where labs can be made.
type surveyor struct{}

func (surveyor) Run() int {
	o, err := parse(os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		complain(err)
		return statusBad
	}
	return o.run()
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("field", flag.ContinueOnError)
	flags.StringVar(&o.markdown, "markdown", "", "`file` for the table (default standard output)")
	flags.StringVar(&o.json, "json", "", "`file` for all that was measured")
	var err error
	o.servers, err = serverList.Parse(flags, "sudo go run ./scripts/field [-servers nginx,redis] [-markdown FILE] [-json FILE]", "which, such as nginx,redis", args)
	return o, err
}

var serverList = commandline.List[server]{All: servers, Name: func(s server) string { return s.Name }, Flag: "servers", What: "servers"}

// run surveys the servers one after another, and gives the exit status.
func (o options) run() int {
	c, ok := calibrate()
	if !ok {
		return statusDiffers
	}
	found := Survey{Kernel: kernelRelease(), Date: time.Now().UTC().Format(time.DateOnly), Calibration: c}
	status := 0
	for _, s := range o.servers {
		executable, missing := s.find()
		if missing != "" {
			skipped := Skipped{s.Name, missing}
			found.Skipped = append(found.Skipped, skipped)
			fmt.Fprintln(os.Stderr, skipped)
			continue
		}
		begin := time.Now()
		row, ok := survey(s, executable, c)
		if !ok {
			status = statusDiffers
			continue
		}
		found.Rows = append(found.Rows, row)
		report(os.Stderr, row, time.Since(begin))
		if row.Differences != nil {
			status = statusDiffers
		}
	}
	if err := o.write(found); err != nil {
		complain(err)
		return statusDiffers
	}
	return status
}

// calibrate measures how this kernel differs from others.
func calibrate() (c scenario.Calibration, ok bool) {
	lab := &program.Lab{Name: "field"}
	defer func() {
		if lab.Close(recover()) {
			ok = false
		}
	}()
	c, err := wire.NewPlug(lab).Calibrate()
	if err != nil {
		lab.Fatalf("%v", err)
	}
	return c, true
}

// report tells of one server, for somebody who waits.
func report(to io.Writer, r Row, took time.Duration) {
	fmt.Fprintf(to, "%s %s: asks for %s, gets %s, takes a burst of %s (%.1fs)\n", r.Server, r.Version, r.asks(), r.gets(), r.bursts(), took.Seconds())
	for _, difference := range r.Differences {
		fmt.Fprintf(to, "field: %s differs: %s\n", r.Server, difference)
	}
}

// write writes the table and the JSON.
func (o options) write(s Survey) error {
	if o.json != "" {
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(s); err != nil {
			return err
		}
		if err := os.WriteFile(o.json, text.Bytes(), 0o644); err != nil {
			return err
		}
	}
	if o.markdown != "" {
		return os.WriteFile(o.markdown, []byte(s.markdown()), 0o644)
	}
	_, err := fmt.Print(s.markdown())
	return err
}

func kernelRelease() string {
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(uts.Release[:])
}

func complain(err error) { fmt.Fprintln(os.Stderr, "field:", err) }
