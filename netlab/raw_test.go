package netlab

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// rawPair is the yardstick of BenchmarkPair: the same two hosts made by the leanest
// code there is, bare netlink messages sent in batches, without the pins, checks
// and cleanup of a lab.
func rawPair(home int) error {
	runtime.LockOSThread() // until the thread is home again
	a, err := rawNamespace()
	if err != nil {
		return err
	}
	defer unix.Close(a.ns)
	defer unix.Close(a.nl)
	b, err := rawNamespace()
	if err != nil {
		return err
	}
	defer unix.Close(b.ns)
	defer unix.Close(b.nl)
	if err := writeSysctl("net.ipv4.tcp_abort_on_overflow", "1"); err != nil {
		return err
	}
	peer := slices.Concat(ifInfo(0, 0), attr(unix.IFLA_IFNAME, "eth0\x00"), attr(unix.IFLA_NET_NS_FD, u32(a.ns)))
	kind := attr(unix.IFLA_INFO_KIND, "veth\x00")
	data := attr(unix.IFLA_INFO_DATA, string(attr(1, string(peer)))) // VETH_INFO_PEER
	b.add(unix.RTM_NEWLINK, unix.NLM_F_CREATE|unix.NLM_F_EXCL, ifInfo(0, 0),
		attr(unix.IFLA_IFNAME, "eth0\x00"), attr(unix.IFLA_LINKINFO, string(kind)+string(data)))
	for i, s := range []*rawSite{b, a} {
		s.add(unix.RTM_NEWLINK, 0, ifInfo(loopbackIndex, unix.IFF_UP))
		s.add(unix.RTM_NEWLINK, 0, ifInfo(2, unix.IFF_UP))
		for _, addr := range []netip.Addr{addr4(i+1, 0), addr6(i+1, 0)} {
			s.add(unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_EXCL, ifAddr(addr),
				attr(unix.IFA_LOCAL, string(addr.AsSlice())), attr(unix.IFA_ADDRESS, string(addr.AsSlice())))
		}
		s.add(unix.RTM_GETLINK, 0, ifInfo(2, 0)) // the carrier barrier
		if err := s.send(); err != nil {
			return err
		}
	}
	if err := unix.Setns(home, unix.CLONE_NEWNET); err != nil {
		return err
	}
	runtime.UnlockOSThread()
	return nil
}

// rawSite is a namespace, a netlink socket in it and the messages to be sent.
type rawSite struct {
	ns, nl   int
	batch    []byte
	messages int
}

func rawNamespace() (*rawSite, error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return nil, err
	}
	ns, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	nl, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	return &rawSite{ns: ns, nl: nl}, err
}

func (s *rawSite) add(kind, flags int, parts ...[]byte) {
	body := slices.Concat(parts...)
	s.messages++
	s.batch = binary.NativeEndian.AppendUint32(s.batch, uint32(unix.SizeofNlMsghdr+len(body)))
	s.batch = binary.NativeEndian.AppendUint16(s.batch, uint16(kind))
	s.batch = binary.NativeEndian.AppendUint16(s.batch, uint16(unix.NLM_F_REQUEST|unix.NLM_F_ACK|flags))
	s.batch = binary.NativeEndian.AppendUint64(s.batch, uint64(s.messages)) // sequence and port
	s.batch = append(s.batch, body...)
}

// send sends the batch and reads one acknowledgement a message.
func (s *rawSite) send() error {
	if err := unix.Sendto(s.nl, s.batch, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	buffer := make([]byte, 1<<16)
	for acks := 0; acks < s.messages; {
		n, _, err := unix.Recvfrom(s.nl, buffer, 0)
		if err != nil {
			return err
		}
		for answer := buffer[:n]; len(answer) >= unix.SizeofNlMsghdr; {
			if binary.NativeEndian.Uint16(answer[4:]) == unix.NLMSG_ERROR {
				if errno := int32(binary.NativeEndian.Uint32(answer[unix.SizeofNlMsghdr:])); errno != 0 {
					return fmt.Errorf("message %d: %w", binary.NativeEndian.Uint32(answer[8:]), unix.Errno(-errno))
				}
				acks++
			}
			answer = answer[min(len(answer), align4(int(binary.NativeEndian.Uint32(answer)))):]
		}
	}
	return nil
}

func ifInfo(index, flags int) []byte {
	info := make([]byte, unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(info[4:], uint32(index))
	binary.NativeEndian.PutUint32(info[8:], uint32(flags))
	binary.NativeEndian.PutUint32(info[12:], uint32(flags)) // the mask of flags to change
	return info
}

// ifAddr is for the interface with index 2, the first after lo.
func ifAddr(addr netip.Addr) []byte {
	if addr.Is4() {
		return []byte{unix.AF_INET, prefixLen4, 0, 0, 2, 0, 0, 0}
	}
	return []byte{unix.AF_INET6, prefixLen6, unix.IFA_F_NODAD, 0, 2, 0, 0, 0}
}

func attr(kind int, value string) []byte {
	length := unix.SizeofRtAttr + len(value)
	b := make([]byte, align4(length))
	binary.NativeEndian.PutUint16(b, uint16(length))
	binary.NativeEndian.PutUint16(b[2:], uint16(kind))
	copy(b[unix.SizeofRtAttr:], value)
	return b
}

func u32(n int) string { return string(binary.NativeEndian.AppendUint32(nil, uint32(n))) }
func align4(n int) int { return (n + 3) &^ 3 }

// BenchmarkPair makes and closes a two-host lab, in turn with rawPair. It reports
// the median of each in milliseconds and the median of the ratios round by round.
//
//	go test -run '^$' -bench Pair ./netlab
func BenchmarkPair(b *testing.B) {
	if err := available(); err != nil {
		refuse(b, err)
	}
	homeNS, err := home()
	if err != nil {
		b.Fatal(err)
	}
	var labs, raws, ratios []float64
	for b.Loop() {
		start := time.Now()
		if err := makeAndClose(b); err != nil {
			b.Fatal(err)
		}
		lab := time.Since(start)
		start = time.Now()
		if err := rawPair(int(homeNS)); err != nil {
			b.Fatal(err)
		}
		raw := time.Since(start)
		labs, raws = append(labs, lab.Seconds()*1e3), append(raws, raw.Seconds()*1e3)
		ratios = append(ratios, lab.Seconds()/raw.Seconds())
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(labs), "lab-ms")
	b.ReportMetric(median(raws), "raw-ms")
	b.ReportMetric(median(ratios), "lab/raw")
}

// BenchmarkLabs has 64 two-host labs alive at once, and reports the time for each.
func BenchmarkLabs(b *testing.B) {
	if err := available(); err != nil {
		refuse(b, err)
	}
	const alive = 64
	for b.Loop() {
		labs := make([]*Lab, alive)
		for i := range labs {
			labs[i] = &Lab{tb: b}
			if _, err := newPair(labs[i], "client", "server"); err != nil {
				b.Fatal(err)
			}
		}
		for _, lab := range labs {
			if err := lab.close(); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()*1e3/float64(b.N)/alive, "ms/lab")
}

func makeAndClose(tb TB) error {
	lab := &Lab{tb: tb}
	_, err := newPair(lab, "client", "server")
	return errors.Join(err, lab.close())
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// The yardstick is worth something only if it makes what a lab makes.
func TestRawPairMakesHosts(t *testing.T) {
	if err := available(); err != nil {
		refuse(t, err)
	}
	homeNS, err := home()
	if err != nil {
		t.Fatal(err)
	}
	if err := rawPair(int(homeNS)); err != nil {
		t.Fatal(err)
	}
}
