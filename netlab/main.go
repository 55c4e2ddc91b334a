package netlab

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/vishvananda/netns"
)

// TestingM is the part of *testing.M that [Main] needs.
type TestingM interface{ Run() int }

// Main runs the tests of a package that makes labs, and exits. Call it from
// TestMain:
//
//	func TestMain(m *testing.M) { netlab.Main(m) }
//
// What stands before it in TestMain, and every init function, runs again in each
// process that Main or [Host.Start] makes of the test binary: let it be little.
//
// A process that may make network namespaces (CAP_SYS_ADMIN, as root has) goes on
// as it is. Any other runs its binary once more as root of a user namespace, in
// network, mount and PID namespaces of its own, and passes output, signals and
// exit status on. If that is not allowed either, every test that calls [New]
// skips with the reason and the command that cures it, or fails if the
// environment variable CI is set.
//
// Without root the tests see themselves as user 0 and process 1 of a machine of
// their own, with 127.0.0.1 and no other network.
//
// When the tests have passed, Main looks for what they left behind and fails the
// run for it: goroutines, descriptors, child processes, threads in another
// network namespace, labs that were not closed.
//
// A process that was started by [Host.StartRole] plays its role instead.
func Main(m TestingM, roles ...Role) { os.Exit(run(m, roles)) }

// mainRuns tells that this process goes through Main, and so do those it starts.
var mainRuns atomic.Bool

func run(m TestingM, roles []Role) int {
	mainRuns.Store(true)
	if os.Getenv(initVariable) != "" {
		return runInit(os.Args[1:])
	}
	if role := os.Getenv(roleVariable); role != "" {
		return play(role, append(roles, Role{probeRole, runProbe}))
	}
	if os.Getenv(innerVariable) != "" {
		if err := enterInner(); err != nil {
			return complain(err)
		}
	}
	if available() != nil {
		if err := probeRootless(); err == nil {
			return runRootless()
		} else {
			rootlessRefusal = err
		}
	}
	before, err := takeInventory()
	if err != nil {
		return complain(err)
	}
	code := m.Run()
	if code != 0 {
		return code // what a failed test left is not worth a second message
	}
	for _, left := range before.leftBehind() {
		fmt.Fprintln(os.Stderr, "netlab: the tests passed but left behind:", left)
		code = 1
	}
	return code
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, "netlab:", err)
	return 1
}

// available tells why this process cannot make a network namespace, or nil.
var available = sync.OnceValue(func() error {
	return onThread(func() error {
		ns, err := netns.New()
		if err != nil {
			return os.NewSyscallError("unshare", err)
		}
		return os.NewSyscallError("close", ns.Close())
	})
})

// rootlessRefusal is why Main could not use a user namespace; nil if it did not
// try. It is set before any test runs.
var rootlessRefusal error

// refuse skips a test that can have no lab, or fails it in CI, where a skipped
// suite would pass unseen.
func refuse(tb TB, err error) {
	tb.Helper()
	message := refusal(err, rootlessRefusal)
	if os.Getenv("CI") != "" {
		tb.Fatalf("%s (the environment variable CI is set, so this is a failure and not a skip)", message)
	}
	tb.Skipf("%s", message)
}
