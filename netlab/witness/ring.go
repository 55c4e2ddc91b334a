package witness

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
	"golang.org/x/sys/unix"
)

// ring records the packets of one interface. The kernel itself writes them into memory
// that it shares with this process, one a frame, and leaves off when all frames are
// full: nothing runs in this process while packets come, so that it cannot be too slow
// for them.
//
// Source, checked on v6.18: tpacket_rcv (net/packet/af_packet.c),
// Documentation/networking/packet_mmap.rst.
type ring struct {
	fd       int
	memory   []byte
	capacity int // packets to be kept; the frames may be a few more
	layout   layout
}

// layout is how the frames lie in the shared memory.
type layout struct {
	frame     int // bytes of a frame
	perBlock  int // frames of a block
	blocks    int
	blockSize int // bytes
}

const (
	// packetOffset is where a packet begins in its frame: after struct tpacket2_hdr and
	// struct sockaddr_ll, aligned to 16 bytes, and 16 bytes for the link layer.
	packetOffset = (unix.SizeofTpacket2Hdr+unix.SizeofSockaddrLinklayer+15)/16*16 + 16

	blockSize = 1 << 17 // bytes; a multiple of any page size, in which the longest frame fits
)

// layoutFor has room for at least so many packets of so many bytes.
func layoutFor(packets, snapLength int) layout {
	l := layout{frame: (packetOffset + snapLength + 15) / 16 * 16, blockSize: blockSize}
	l.perBlock = blockSize / l.frame
	l.blocks = (packets + l.perBlock - 1) / l.perBlock
	return l
}

// offset is where frame i begins. No frame crosses from one block into the next.
func (l layout) offset(i int) int { return i/l.perBlock*l.blockSize + i%l.perBlock*l.frame }

func (l layout) frames() int { return l.blocks * l.perBlock }

// openRing begins to record an interface of the host.
func openRing(h *netlab.Host, device string, cfg Config) (*ring, error) {
	r := &ring{fd: -1, capacity: cfg.MaxPackets, layout: layoutFor(cfg.MaxPackets, cfg.SnapLength)}
	var index int
	err := h.Do(func() (err error) {
		// Without a protocol the socket sees nothing before it is bound.
		if r.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err != nil {
			return os.NewSyscallError("socket", err)
		}
		index, err = indexOf(device)
		return err
	})
	if err == nil {
		err = r.share()
	}
	if err == nil {
		err = attachFilter(r.fd, ipOnly(cfg.SnapLength, device == loopback))
	}
	if err == nil {
		err = os.NewSyscallError("bind", unix.Bind(r.fd, &unix.SockaddrLinklayer{Protocol: allProtocols, Ifindex: index}))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("record %s: %w", device, err), r.close())
	}
	return r, nil
}

const loopback = "lo"

// allProtocols is ETH_P_ALL in network order. A socket for one protocol would see only
// what the host receives.
const allProtocols = unix.ETH_P_ALL << 8 & 0xff00

// indexOf is the number of an interface of the calling thread's namespace.
func indexOf(device string) (int, error) {
	found, err := net.InterfaceByName(device)
	if err != nil {
		return 0, err
	}
	return found.Index, nil
}

// share makes the frames and maps them.
func (r *ring) share() error {
	if err := unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V2); err != nil {
		return os.NewSyscallError("setsockopt PACKET_VERSION", err)
	}
	request := &unix.TpacketReq{
		Block_size: uint32(r.layout.blockSize), Block_nr: uint32(r.layout.blocks),
		Frame_size: uint32(r.layout.frame), Frame_nr: uint32(r.layout.frames()),
	}
	if err := unix.SetsockoptTpacketReq(r.fd, unix.SOL_PACKET, unix.PACKET_RX_RING, request); err != nil {
		return os.NewSyscallError("setsockopt PACKET_RX_RING", err)
	}
	memory, err := unix.Mmap(r.fd, 0, r.layout.blocks*r.layout.blockSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	r.memory = memory
	return os.NewSyscallError("mmap", err)
}

// read gives the packets so far, in the order in which the kernel took them up, and how
// many were let go: by the kernel, for want of a frame, and here, beyond the capacity.
// A second call would not know the kernel's count any more.
func (r *ring) read(start time.Time) (packets []scenario.Packet, letGo int, err error) {
	stats, err := unix.GetsockoptTpacketStats(r.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return nil, 0, os.NewSyscallError("getsockopt PACKET_STATISTICS", err)
	}
	filled := 0
	for filled < r.layout.frames() && r.filled(filled) {
		filled++
	}
	kept := min(filled, r.capacity)
	packets = make([]scenario.Packet, 0, kept)
	var data []byte
	for i := range kept {
		var p scenario.Packet
		p, data = r.packet(i, start, data)
		packets = append(packets, p)
	}
	return packets, int(stats.Drops) + filled - kept, nil
}

// header is what the kernel wrote in front of packet i.
func (r *ring) header(i int) *unix.Tpacket2Hdr {
	return (*unix.Tpacket2Hdr)(unsafe.Pointer(&r.memory[r.layout.offset(i)]))
}

// filled tells whether frame i holds a packet.
func (r *ring) filled(i int) bool {
	return atomic.LoadUint32(&r.header(i).Status)&unix.TP_STATUS_USER != 0
}

const dataChunk = 1 << 16 // bytes that packets share

// packet copies packet i into what is left of a chunk, or into a new one, and gives the
// rest of it. The kernel's time is that of CLOCK_REALTIME.
func (r *ring) packet(i int, start time.Time, chunk []byte) (scenario.Packet, []byte) {
	h, from := r.header(i), r.layout.offset(i)
	seen := r.memory[from+int(h.Net):][:h.Snaplen]
	if len(chunk) < len(seen) {
		chunk = make([]byte, max(dataChunk, len(seen)))
	}
	data := chunk[:len(seen):len(seen)]
	copy(data, seen)
	at := time.Duration(int64(h.Sec)*int64(time.Second) + int64(h.Nsec) - start.UnixNano())
	return scenario.Packet{At: at, Data: data, Length: int(h.Len)}, chunk[len(seen):]
}

// close ends the recording of the interface. The kernel waits for a grace period of
// RCU, some 15 ms.
func (r *ring) close() error {
	var errs []error
	if r.memory != nil {
		errs = append(errs, os.NewSyscallError("munmap", unix.Munmap(r.memory)))
		r.memory = nil
	}
	if r.fd >= 0 {
		errs = append(errs, os.NewSyscallError("close", unix.Close(r.fd)))
		r.fd = -1
	}
	return errors.Join(errs...)
}
