package netlab

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// With backlog 2 the queue takes three connections; the fourth SYN is dropped, and
// the listener's own count says so as the namespace's does.
func TestAcceptQueueCountsToTheLast(t *testing.T) {
	for _, family := range []string{"IPv4", "IPv6"} {
		t.Run(family, func(t *testing.T) {
			t.Parallel()
			client, server := New(t).Pair()
			host := server.Addr()
			if family == "IPv6" {
				host = server.Addr6()
			}
			address := net.JoinHostPort(host, "8080")
			ln := listen(t, server, address, 2)
			want := AcceptQueue{Addr: netip.MustParseAddrPort(address), Limit: 2, Inode: inode(t, ln)}
			for want.Length = 1; want.Length <= 3; want.Length++ {
				dial(t, client, address)
				if got := server.AcceptQueue(8080); got != want {
					t.Errorf("after %d connects: %v of socket %d, want %v of socket %d", want.Length, got, got.Inode, want, want.Inode)
				}
			}
			want.Length--

			ctx, cancel := context.WithCancel(t.Context())
			fourth := make(chan error)
			go func() {
				conn, err := client.DialContext(ctx, "tcp", address)
				if err == nil {
					err = conn.Close()
				}
				fourth <- err
			}()
			await(t, "the fourth SYN to be dropped", func() bool { return server.Counters()["ListenDrops"] > 0 })
			moved := server.Counters()
			queue := server.AcceptQueue(8080)
			for again := server.Counters(); again["ListenDrops"] != moved["ListenDrops"]; { // the SYN was repeated just then
				moved, queue, again = again, server.AcceptQueue(8080), server.Counters()
			}
			want.Drops = uint32(moved["ListenDrops"])
			if queue != want {
				t.Errorf("after the fourth SYN: %v, want %v", queue, want)
			}
			if moved["ListenOverflows"] != moved["ListenDrops"] || moved["PassiveOpens"] != 3 {
				t.Errorf("counters: %v, want as many overflows as drops and three opens",
					moved.Only("ListenDrops", "ListenOverflows", "PassiveOpens"))
			}
			cancel()
			if err := <-fourth; !errors.Is(err, context.Canceled) {
				t.Errorf("the fourth dial ended with %v, want it cancelled", err)
			}
			conn, err := ln.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if got := server.AcceptQueue(8080).Length; got != 2 {
				t.Errorf("after an accept %d wait, want 2", got)
			}
		})
	}
}

// inode is the number of a listener's socket.
func inode(t *testing.T, ln *net.TCPListener) uint32 {
	t.Helper()
	raw, err := ln.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var stat unix.Stat_t
	if cerr := raw.Control(func(fd uintptr) { err = unix.Fstat(int(fd), &stat) }); cerr != nil || err != nil {
		t.Fatal(cerr, err)
	}
	return uint32(stat.Ino)
}

func TestAcceptQueuesAreOrdered(t *testing.T) {
	t.Parallel()
	client, server := New(t).Pair()
	for _, address := range []string{":9000", server.Addr() + ":8080", net.JoinHostPort(server.Addr6(), "8080"), "127.0.0.1:8081"} {
		listen(t, server, address, 1)
	}
	var got []string
	for _, q := range server.AcceptQueues() {
		got = append(got, q.Addr.String())
	}
	if want := "198.18.0.2:8080 [2001:2::2]:8080 127.0.0.1:8081 [::]:9000"; strings.Join(got, " ") != want {
		t.Errorf("listeners %v, want %s", got, want)
	}
	if queues := client.AcceptQueues(); len(queues) != 0 {
		t.Errorf("the client has listeners %v, want none", queues)
	}
}

func TestAcceptQueueWantsOneListener(t *testing.T) {
	t.Parallel()
	_, server := New(t).Pair()
	listen(t, server, ":9000", 1)
	want := "netlab: host server: 0 listeners on port 8080, want one; listening: [[::]:9000]"
	if got := fatal(t, server, func() { server.AcceptQueue(8080) }); got != want {
		t.Errorf("Fatalf said %q, want %q", got, want)
	}
}

func TestParseDiagRefusesShortAnswers(t *testing.T) {
	for _, c := range []struct {
		message []byte
		want    string
	}{
		{make([]byte, 71), "sock_diag answer has 71 bytes, want at least 72"},
		{make([]byte, inetDiagMsgSize), "sock_diag answer has no SK_MEMINFO_DROPS"},
		{append(make([]byte, inetDiagMsgSize), 14, 0, 1, 0), "sock_diag answer has an attribute of 14 bytes in 4"},
		{append(make([]byte, inetDiagMsgSize), 5, 0, 1, 0, 9), "sock_diag answer has no SK_MEMINFO_DROPS"}, // without its padding
		{append(make([]byte, inetDiagMsgSize), 1, 2, 3), "sock_diag answer has no SK_MEMINFO_DROPS"},
	} {
		if _, err := parseDiag(c.message); err == nil || err.Error() != c.want {
			t.Errorf("parseDiag of %d bytes: %v, want %s", len(c.message), err, c.want)
		}
	}
}

func FuzzParseDiag(f *testing.F) {
	f.Add(make([]byte, inetDiagMsgSize))
	f.Add(append(make([]byte, inetDiagMsgSize), 40, 0, inetDiagSKMemInfo, 0))
	f.Fuzz(func(t *testing.T, message []byte) {
		queue, err := parseDiag(message)
		if err == nil && !queue.Addr.IsValid() {
			t.Errorf("parseDiag(%x) has no address and no error", message)
		}
	})
}

func BenchmarkAcceptQueues(b *testing.B) {
	_, server := New(b).Pair()
	ln, err := server.Listen("tcp", ":8080", 1)
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	for b.Loop() {
		if len(server.AcceptQueues()) != 1 {
			b.Fatal("the listener is gone")
		}
	}
}
