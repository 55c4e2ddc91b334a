package netlab

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// TUN is a host's interface eth0 whose other end is a descriptor of this process
// instead of another host: each read gives one IP packet that the host sends, and
// each write is one that it receives.
type TUN struct {
	*Host
	fd int
}

// FD is the descriptor of the device. It is non-blocking, belongs to the host and is
// closed with it. The kernel has processed a packet when the write of it returns.
func (t TUN) FD() int { return t.fd }

const (
	tunDevice   = "/dev/net/tun"
	tunQueueLen = 16384 // packets that the host may send before one is read
)

// TUNPair makes two hosts that whoever holds the two devices joins, packet by packet;
// netlab/wire does. Addresses and sysctls are those of Pair.
//
//	client 198.18.0.1 ──tun── this process ──tun── 198.18.0.2 server
//
// The test ends if there is no TUN device for this user: ask TUNAvailable first.
func (l *Lab) TUNPair() (client, server TUN) {
	l.tb.Helper()
	pair, err := newTUNPair(l, "client", "server")
	if err != nil {
		l.tb.Fatalf("netlab: make a pair of hosts with TUN devices: %v", err)
	}
	return pair[0], pair[1]
}

// TUNAvailable says why this process can have no TUN device and what to type, or nil.
// Without root that is the usual case, since /dev/net/tun belongs to root.
func TUNAvailable() error {
	fd, err := unix.Open(tunDevice, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err == nil {
		return os.NewSyscallError("close", unix.Close(fd))
	}
	err = &os.PathError{Op: "open", Path: tunDevice, Err: err}
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("%w; type: sudo modprobe tun", err)
	}
	return fmt.Errorf("%w; run as root: go test -exec 'sudo -E' ./..., or type: sudo chmod 0666 %s", err, tunDevice)
}

func newTUNPair(l *Lab, names ...string) (pair []TUN, err error) {
	err = onThread(func() error {
		sites, err := newSites(l, names, 1)
		if err != nil {
			return err
		}
		for _, s := range sites {
			t, err := s.addTUN()
			if err != nil {
				return abandonAll(sites, fmt.Errorf("host %s: %w", s.name, err))
			}
			pair = append(pair, t)
		}
		_, err = finish(l, sites)
		return err
	})
	return pair, err
}

// addTUN makes eth0 as a TUN device and sets it up.
func (s *site) addTUN() (TUN, error) {
	fd := -1
	err := within(s.ns, func() (err error) {
		fd, err = openTUN("eth0")
		return err
	})
	if err != nil {
		return TUN{}, err
	}
	s.closers = append(s.closers, func() error { return os.NewSyscallError("close", unix.Close(fd)) })
	link, err := s.rt.LinkByName("eth0")
	if err != nil {
		return TUN{}, fmt.Errorf("find eth0: %w", err)
	}
	if err := s.rt.LinkSetTxQLen(link, tunQueueLen); err != nil {
		return TUN{}, fmt.Errorf("set the length of the device's queue: %w", err)
	}
	s.tun, s.links = true, append(s.links, link.Attrs().Index)
	return TUN{s.Host, fd}, s.up(link.Attrs().Index)
}

// openTUN makes a TUN device in the calling thread's namespace. Packets come without
// the four bytes that older users expect in front of them.
func openTUN(name string) (int, error) {
	fd, err := unix.Open(tunDevice, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: tunDevice, Err: err}
	}
	request, err := unix.NewIfreq(name)
	if err == nil {
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = os.NewSyscallError("ioctl TUNSETIFF", unix.IoctlIfreq(fd, unix.TUNSETIFF, request))
	}
	if err != nil {
		return -1, errors.Join(err, unix.Close(fd))
	}
	return fd, nil
}
