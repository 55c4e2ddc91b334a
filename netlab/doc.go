// Package netlab makes throw-away networks for tests: hosts that are Linux
// network namespaces, joined by veth pairs, each with its own sysctls, sockets,
// processes and counters.
//
//	func TestMain(m *testing.M) { netlab.Main(m) }
//
//	func TestBurst(t *testing.T) {
//		lab := netlab.New(t)
//		client, server := lab.Pair() // client ──veth── server
//		server.Sysctl("net.ipv4.tcp_abort_on_overflow", "1")
//		server.Start("./myserver", "-listen", ":8080").WaitListening(8080)
//		conn, err := client.DialContext(t.Context(), "tcp", server.Addr()+":8080")
//		...
//	}
//
// # Nothing is left behind
//
// A host is held by descriptors of the test process alone. Nothing appears in
// /run/netns, and nothing of the machine's own namespace is touched: no
// interface, no rule, no sysctl, no route. When the process ends, by whatever
// signal, the kernel takes the namespaces, links and processes with it.
//
// # Root or not
//
// With CAP_SYS_ADMIN a lab is made directly. Without it, [Main] runs the test
// binary again in user, network, mount and PID namespaces of its own. Where
// neither is allowed, tests that call [New] skip and say what to type.
//
// # Threads
//
// A thread belongs to one network namespace, a goroutine to no thread. The
// package enters a namespace only on a goroutine of its own that is locked to
// its thread and leaves before it unlocks; a socket keeps the namespace that it
// was made in, so sockets are made inside and used from anywhere. Importing the
// package locks the main goroutine to the main thread, which the Go runtime
// could not throw away if leaving a namespace ever failed.
package netlab
