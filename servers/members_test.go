package servers

import (
	"errors"
	"net"
	"os"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func listenMembers(t *testing.T, lc net.ListenConfig, n int) []*Listener {
	t.Helper()
	members, err := ListenMembers(t.Context(), lc, "tcp4", "127.0.0.1:0", n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeAll(members) })
	return members
}

func TestMembersShareOneAddress(t *testing.T) {
	const clients = 64
	members := listenMembers(t, net.ListenConfig{}, 4)
	if len(members) != 4 {
		t.Fatalf("%d members, want 4", len(members))
	}
	if err := members[1].SetBacklog(clients); err != nil {
		t.Fatal(err)
	}
	if _, limit, err := members[0].Queue(); limit == clients || err != nil {
		t.Errorf("limit of the first is that of the second (%v)", err)
	}
	for _, ln := range members {
		if got, want := ln.Addr().String(), members[0].Addr().String(); got != want {
			t.Errorf("member listens on %s, want %s", got, want)
		}
	}
	dial(t, members[0], clients)
	total, used := uint32(0), 0
	for _, ln := range members {
		length, _, err := ln.Queue()
		if err != nil {
			t.Fatal(err)
		}
		total += length
		if length > 0 {
			used++
		}
	}
	if total != clients || used < 2 {
		t.Errorf("%d connections in %d queues, want %d in more than one", total, used, clients)
	}
}

// A Control may replace the socket, as one that moves it to another network
// namespace does.
func TestMembersWhoseControlReplacesTheSocket(t *testing.T) {
	replaced := 0
	lc := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		return control(raw, func(fd int) error {
			other, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return os.NewSyscallError("socket", err)
			}
			defer unix.Close(other)
			replaced++
			return os.NewSyscallError("dup3", unix.Dup3(other, fd, unix.O_CLOEXEC))
		})
	}}
	listenMembers(t, lc, 3)
	if replaced != 3 {
		t.Errorf("control ran %d times, want 3", replaced)
	}
}

func TestMembersCloseAllOnError(t *testing.T) {
	broken := errors.New("broken control")
	var first string
	calls := 0
	lc := net.ListenConfig{Control: func(_, address string, _ syscall.RawConn) error {
		if calls++; calls == 3 {
			first = address
			return broken
		}
		return nil
	}}
	_, err := ListenMembers(t.Context(), lc, "tcp4", "127.0.0.1:0", 4)
	if !errors.Is(err, broken) {
		t.Fatalf("err = %v, want %v", err, broken)
	}
	if _, err := net.Dial("tcp4", first); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial %s = %v, want connection refused: nothing listens", first, err)
	}
}

func TestMembersWantsAtLeastOne(t *testing.T) {
	if _, err := ListenMembers(t.Context(), net.ListenConfig{}, "tcp4", "127.0.0.1:0", 0); err == nil {
		t.Error("ListenMembers with n=0 succeeded")
	}
}
