package tests

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/rstlab/rstlab/netlab/diagnose"
	"golang.org/x/sys/unix"
)

var wholeMachine = flag.Bool("whole-machine", false, "also play the causes that change what all namespaces share: for a virtual machine of their own")

// machineCauses change what all namespaces share, so nothing else runs meanwhile.
func machineCauses() []cause {
	return []cause{
		{26, diagnose.MemoryPressure, 1, "ECONNRESET", stageMemoryPressure},
	}
}

// needWholeMachine skips a row that would disturb whoever else uses the machine.
func needWholeMachine(t *testing.T) {
	t.Helper()
	if !*wholeMachine {
		t.Skip("it changes " + tcpMem + ", which all namespaces share; in a machine of its own type: go test ./tests -run '^TestCauses$' -args -whole-machine")
	}
}

// tcpMem is how much memory TCP may use, in pages: tcp(7).
const tcpMem = "/proc/sys/net/ipv4/tcp_mem"

// The server closes with data that its client has no room for, and the kernel, which is
// out of memory for TCP, resets at once instead of keeping them.
//
// Source, checked on v6.1 and v6.12: __tcp_close, tcp_out_of_memory (net/ipv4/tcp.c and
// include/net/tcp.h). Each CPU keeps up to a megabyte that is not counted yet
// (sk_memory_allocated_add, include/net/sock.h), so it takes several of them.
func stageMemoryPressure(t *testing.T) staged {
	const sent = 4 << 20
	s := newScene(t, t)
	s.w.Server.Sysctl("net.ipv4.tcp_wmem", fmt.Sprint(4096, 2*sent, 2*sent))
	ln := s.listen(16)
	s.start()
	client := s.dial()
	server := s.accept(ln)
	onSocket(t, server, func(fd int) error {
		_, err := unix.Write(fd, make([]byte, sent)) // as much of it as the buffer takes
		return err
	})
	s.until("the client's window is full", func() bool {
		info := tcpInfo(t, server)
		return info.Unacked == 0 && info.Notsent_bytes > 0
	})
	restore := setTCPMem(t, "1 1 1")
	fatal(t, server.Close())
	s.counted(s.w.Client, "EstabResets", 1)
	restore()
	for len(s.clients) == 0 {
		s.read(client) // what had come before the RST, and then the error
	}
	return s.stop()
}

// setTCPMem changes the memory for TCP until the function that it returns is called, or
// the test ends.
func setTCPMem(t *testing.T, value string) (restore func()) {
	t.Helper()
	before, err := os.ReadFile(tcpMem)
	fatal(t, err)
	restore = func() { fatal(t, os.WriteFile(tcpMem, []byte(strings.TrimSpace(string(before))), 0)) }
	t.Cleanup(restore)
	fatal(t, os.WriteFile(tcpMem, []byte(value), 0))
	return restore
}
