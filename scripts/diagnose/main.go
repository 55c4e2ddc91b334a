// Command diagnose reads somebody's capture and names the cause of every reset,
// time-out and refusal in it.
//
//	go run ./scripts/diagnose [-counters before,after] [-json | -html out.html] capture.pcap
//
// The capture is a classic pcap file or pcapng, plain or gzip, or - for standard input.
// It may be of Ethernet (with VLAN tags), raw IP, Linux cooked (as tcpdump -i any makes
// it) or a loopback. What is cut at a snap length of 96 bytes or more is enough.
//
// A capture alone leaves look-alikes apart from each other undecided. With the server's
// counters from before and after it more is certain:
//
//	cat /proc/net/netstat /proc/net/snmp > before
//	tcpdump -i eth0 -s 128 -w capture.pcap tcp or icmp or icmp6
//	cat /proc/net/netstat /proc/net/snmp > after
//	go run ./scripts/diagnose -counters before,after capture.pcap
//
// The counters are given to the address that most connections go to. Unless the capture
// shows otherwise it is taken to be from that host too, and the notes say so.
//
// The report is text, with -json the JSON of diagnose.Report with one flow a line, with
// -html a page beside one sentence. The exit status is 0 with a report, 1 with a sentence
// for what is no capture or cannot be read, and 2 for wrong usage.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
)

// options are what the command line asks for.
type options struct {
	capture       string // a file; "-": standard input
	before, after string // files of counters; both empty: none
	json          bool
	html          string // a file; empty: none
}

// The exit statuses.
const (
	statusBad   = 1
	statusUsage = 2
)

// memory is where the garbage collector begins to work harder: a million packets are to
// fit into 1 GiB.
const memory = 800 << 20

func main() {
	debug.SetMemoryLimit(memory)
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the command without its process.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "diagnose:", err)
		return statusUsage
	}
	if err := o.diagnose(stdin, stdout); err != nil {
		fmt.Fprintln(stderr, "diagnose:", err)
		return statusBad
	}
	return 0
}

const usage = `usage: go run ./scripts/diagnose [-counters before,after] [-json | -html out.html] capture.pcap

The capture is pcap or pcapng, plain or gzip; - is standard input. The counters are the
server's, from before and after the capture: cat /proc/net/netstat /proc/net/snmp > before
`

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	counters := ""
	flags := flag.NewFlagSet("diagnose", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // an error is said once, by whoever calls
	flags.StringVar(&counters, "counters", "", "the server's counters from before and after the capture: two `files` with a comma between them")
	flags.BoolVar(&o.json, "json", false, "print JSON")
	flags.StringVar(&o.html, "html", "", "write a page to this `file`")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(stderr, usage)
			flags.SetOutput(stderr)
			flags.PrintDefaults()
		}
		return o, err
	}
	if counters != "" {
		var two bool
		o.before, o.after, two = strings.Cut(counters, ",")
		if !two || o.before == "" || o.after == "" || strings.Contains(o.after, ",") {
			return o, fmt.Errorf("-counters is %q, want two files with a comma between them: -counters before,after", counters)
		}
	}
	switch {
	case flags.NArg() == 0:
		return o, errors.New("there is no capture to read; name a file, or - for standard input (-h tells more)")
	case flags.NArg() > 1:
		return o, fmt.Errorf("%q is one argument too many: one capture, and flags before it", flags.Arg(1))
	case o.json && o.html != "":
		return o, errors.New("-json and -html exclude each other")
	}
	o.capture = flags.Arg(0)
	return o, nil
}
