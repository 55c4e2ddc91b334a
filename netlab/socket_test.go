package netlab

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// option reads a socket option of a connection or listener.
func option(t *testing.T, s syscall.Conn, level, name int) int {
	t.Helper()
	raw, err := s.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	value := 0
	if cerr := raw.Control(func(fd uintptr) { value, err = unix.GetsockoptInt(int(fd), level, name) }); cerr != nil || err != nil {
		t.Fatal(cerr, err)
	}
	return value
}

func closesOnExec(t *testing.T, s syscall.Conn) bool {
	t.Helper()
	raw, err := s.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	flags := 0
	if cerr := raw.Control(func(fd uintptr) { flags, err = unix.FcntlInt(fd, unix.F_GETFD, 0) }); cerr != nil || err != nil {
		t.Fatal(cerr, err)
	}
	return flags&unix.FD_CLOEXEC != 0
}

func TestListenReadsTheLimitBack(t *testing.T) {
	t.Parallel()
	_, server := New(t).Pair()
	for i, c := range []struct {
		somaxconn string
		backlog   int
		want      uint32
	}{
		{"4096", 0, 0},
		{"4096", 7, 7},
		{"4096", 5000, 4096}, // capped by somaxconn
		{"4096", -1, 4096},   // unsigned, and so the largest
		{"10", 128, 10},
		{"10", 3, 3},
	} {
		server.Sysctl("net.core.somaxconn", c.somaxconn)
		port := 8080 + i
		listen(t, server, fmt.Sprintf(":%d", port), c.backlog)
		if q := server.AcceptQueue(port); q.Limit != c.want {
			t.Errorf("backlog %d with somaxconn %s gives limit %d, want %d", c.backlog, c.somaxconn, q.Limit, c.want)
		}
	}
}

func TestListenIsPlainTCPUnlessAskedFor(t *testing.T) {
	t.Parallel()
	_, server := New(t).Pair()
	plain := listen(t, server, ":8080", 1)
	if got := option(t, plain, unix.SOL_SOCKET, unix.SO_PROTOCOL); got != unix.IPPROTO_TCP {
		t.Errorf("Listen made protocol %d, want TCP, %d", got, unix.IPPROTO_TCP)
	}
	lc := server.ListenConfig()
	lc.SetMultipathTCP(true)
	ln, err := lc.Listen(t.Context(), "tcp", ":8081")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if got := option(t, ln.(*net.TCPListener), unix.SOL_SOCKET, unix.SO_PROTOCOL); got != unix.IPPROTO_MPTCP {
		t.Errorf("ListenConfig with Multipath TCP made protocol %d, want %d", got, unix.IPPROTO_MPTCP)
	}
}

func TestListenRefusesOtherNetworks(t *testing.T) {
	t.Parallel()
	_, server := New(t).Pair()
	_, err := server.Listen("unix", "@netlab-test", 1)
	if want := `listen on network "unix": want tcp, tcp4 or tcp6`; err == nil || err.Error() != want {
		t.Errorf("Listen on a unix socket: %v, want %s", err, want)
	}
}

// What package net has set on a socket before Control is set on the host's too.
func TestControlKeepsOptions(t *testing.T) {
	t.Parallel()
	_, server := New(t).Pair()
	lc := server.ListenConfig()
	for _, c := range []struct {
		network string
		v6only  int
	}{{"tcp", 0}, {"tcp6", 1}} {
		ln, err := lc.Listen(t.Context(), c.network, ":0")
		if err != nil {
			t.Fatal(err)
		}
		tcp := ln.(*net.TCPListener)
		if got := option(t, tcp, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY); got != c.v6only {
			t.Errorf("%s: IPV6_V6ONLY is %d, want %d", c.network, got, c.v6only)
		}
		if got := option(t, tcp, unix.SOL_SOCKET, unix.SO_REUSEADDR); got != 1 {
			t.Errorf("%s: SO_REUSEADDR is %d, want 1", c.network, got)
		}
		if !closesOnExec(t, tcp) {
			t.Errorf("%s: a child process would inherit the listener", c.network)
		}
		ln.Close()
	}
	conn, err := lc.ListenPacket(t.Context(), "udp4", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := option(t, conn.(*net.UDPConn), unix.SOL_SOCKET, unix.SO_BROADCAST); got != 1 {
		t.Errorf("udp4: SO_BROADCAST is %d, want 1", got)
	}
}

// http.Transport dials on a goroutine of its own; the request still starts in the host.
func TestTransportDialsFromTheHost(t *testing.T) {
	t.Parallel()
	client, server := New(t).Pair()
	ln := listen(t, server, ":8080", 16)
	web := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.RemoteAddr)
	})}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := web.Serve(ln); err != http.ErrServerClosed {
			t.Error(err)
		}
	})
	transport := &http.Transport{DialContext: client.DialContext}
	defer serving.Wait()
	defer web.Close()
	defer transport.CloseIdleConnections()

	resp, err := (&http.Client{Transport: transport}).Get("http://" + server.Addr() + ":8080/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	buffer := make([]byte, 64)
	n, _ := resp.Body.Read(buffer)
	if got := string(buffer[:n]); !strings.HasPrefix(got, client.Addr()+":") {
		t.Errorf("the request came from %q, want %s", got, client.Addr())
	}
}

// The host's resolver asks its questions from inside the lab.
func TestResolverAsksInTheLab(t *testing.T) {
	t.Parallel()
	client, server := New(t).Pair()
	lc := server.ListenConfig()
	dns, err := lc.ListenPacket(t.Context(), "udp4", server.Addr()+":53")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() { answerQuestions(t, dns, server.Addrs()[0].As4()) })
	defer serving.Wait()
	defer dns.Close()

	inner := client.Dialer().Resolver
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return inner.Dial(ctx, network, server.Addr()+":53")
	}}
	addrs, err := resolver.LookupNetIP(t.Context(), "ip4", "server.lab.")
	if err != nil || len(addrs) != 1 || addrs[0] != server.Addrs()[0] {
		t.Errorf("server.lab. is %v, %v; want %s", addrs, err, server.Addr())
	}
}

// answerQuestions answers each DNS question (RFC 1035) for an address with addr.
func answerQuestions(t *testing.T, dns net.PacketConn, addr [4]byte) {
	packet := make([]byte, 512)
	for {
		n, from, err := dns.ReadFrom(packet)
		if err != nil {
			return // closed
		}
		end := 12 + bytes.IndexByte(packet[12:n], 0) + 5 // header, name, type and class
		answer := slices.Clone(packet[:end])
		answer[2], answer[3] = 0x84, 0                // an authoritative answer
		copy(answer[6:12], []byte{0, 1, 0, 0, 0, 0})  // with one record
		answer = append(answer, 0xc0, 12, 0, 1, 0, 1) // for the name asked, type A, class IN
		answer = append(answer, 0, 0, 0, 60, 0, 4)    // for a minute, four bytes
		answer = append(answer, addr[:]...)
		if _, err := dns.WriteTo(answer, from); err != nil {
			t.Error(err)
		}
	}
}

// hangingDials is how many dials wait at once in TestDialsHoldNoThreads.
const hangingDials = 500

// Dials that hang, because every SYN is dropped, hold no thread. Those that other tests
// have left idle are counted before.
func TestDialsHoldNoThreads(t *testing.T) {
	client, server := New(t).Pair()
	listen(t, server, ":8080", 0)
	dial(t, client, server.Addr()+":8080") // the queue of limit 0 holds one
	before := threads(t)

	ctx, cancel := context.WithCancel(t.Context())
	var dials sync.WaitGroup
	for range hangingDials {
		dials.Go(func() {
			if conn, err := client.DialContext(ctx, "tcp", server.Addr()+":8080"); err == nil {
				conn.Close()
				t.Error("a dial to a full accept queue came back")
			}
		})
	}
	await(t, "all dials to have sent their SYN", func() bool {
		return client.Counters()["ActiveOpens"] == hangingDials+1
	})
	more := threads(t) - before
	t.Logf("%d hanging dials on %d threads more", hangingDials, more)
	if more > 20 {
		t.Errorf("%d hanging dials use %d threads more, want at most 20", hangingDials, more)
	}
	cancel()
	dials.Wait()
}

// threads is how many the process has.
func threads(t *testing.T) int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(tasks)
}

// await waits for a condition of the kernel's, which sends no event for it.
func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	timeout := time.After(10 * time.Second)
	for !condition() {
		select {
		case <-again.C:
		case <-timeout:
			t.Fatalf("waited ten seconds for %s", what)
		}
	}
}
