package witness

import (
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	settleTimeout = time.Second // what a machine under load may take to hand over its packets
	settlePause   = 20 * time.Microsecond
)

// settle returns when every packet that was on its way between two hosts has arrived.
//
// A veth hands a packet over by putting it on the backlog of the sender's CPU. Most
// often that is empty again before the sender's system call returns, but under load it
// is left to the thread ksoftirqd. So settle waits until it has seen the backlog of each
// CPU empty, and then until whatever was taken from one is through, which is one grace
// period of RCU and takes some 10 ms. A machine whose backlog is never empty is given up
// after a second; a kernel that cannot wait for RCU is not waited for.
//
// Source, checked on v6.18: process_backlog (net/core/dev.c), softnet_seq_show
// (net/core/net-procfs.c), membarrier(2).
func settle() error {
	file, err := os.Open("/proc/self/net/softnet_stat")
	if err != nil {
		return err
	}
	defer file.Close()
	drained := map[int]bool{}
	for deadline := time.Now().Add(settleTimeout); ; time.Sleep(settlePause) {
		text, err := io.ReadAll(io.NewSectionReader(file, 0, 1<<20))
		if err != nil {
			return err
		}
		if noteDrained(string(text), drained) || time.Now().After(deadline) {
			break
		}
	}
	const global = 1 // MEMBARRIER_CMD_GLOBAL, include/uapi/linux/membarrier.h
	_, _, _ = unix.Syscall(unix.SYS_MEMBARRIER, global, 0, 0)
	return nil
}

// noteDrained notes which CPUs have an empty backlog, and tells whether all had one by
// now. There is one line a CPU, in columns of hexadecimal numbers:
//
//	000b6e1f 00000000 00000006 ... 00000000 00000001
//
// The twelfth is the length of the backlog; kernels before 5.10 do not tell.
func noteDrained(text string, drained map[int]bool) bool {
	cpu, all := 0, true
	for line := range strings.Lines(text) {
		columns := strings.Fields(line)
		length := uint64(0)
		if len(columns) > 11 {
			length, _ = strconv.ParseUint(columns[11], 16, 64)
		}
		drained[cpu] = drained[cpu] || length == 0
		all = all && drained[cpu]
		cpu++
	}
	return all
}
