// Command kernels runs the suites under other kernels, in virtual machines.
//
//	go run ./scripts/kernels [-releases 6.1,6.12] [-suites exact,causes,story] [-accel tcg] [-full]
//
// It builds the binary of ./tests once and runs the exact suite, the causes suite and
// the story in real time with it: on this machine, and under the newest kernel of each
// release that Debian packages for cloud machines, in QEMU. A table says what came of
// each suite under each kernel and what differed from this machine's.
//
// Packages are found and verified by apt with folders and a list of sources of its own,
// and unpacked into a temporary folder: nothing is installed. A machine has no disk and
// no network. Its kernel, the modules that the suites need, and the binary are all there
// is, and its first program is this command, in the role of guest.
//
// The exit status is 1 if a test failed, or if a test that ran under one kernel is
// missing under another without saying why.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	if os.Getpid() == 1 && len(os.Args) == 2 && os.Args[1] == guestRole {
		runGuest()
		return
	}
	releases := flag.String("releases", "6.1,6.12", "of the kernels to run under, with commas between them")
	names := flag.String("suites", "exact,causes,story", "which suites to run, with commas between them")
	accel := flag.String("accel", "tcg", "how QEMU runs the machines: tcg everywhere, kvm where it works")
	full := flag.Bool("full", false, "leave out no test in an emulated machine, which takes longer")
	flag.Parse()
	chosen, err := chooseSuites(strings.Split(*names, ","))
	if err == nil && flag.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q; type: go run ./scripts/kernels -h", flag.Arg(0))
	}
	if err == nil && *accel != "tcg" && *accel != "kvm" {
		err = fmt.Errorf("-accel %s: choose tcg or kvm", *accel)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "kernels:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, strings.Split(*releases, ","), chosen, *accel, *full); err != nil {
		fmt.Fprintln(os.Stderr, "kernels:", err)
		os.Exit(1)
	}
}
