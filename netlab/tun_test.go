package netlab

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// newTUNs makes a pair, or skips where there is no lab or no TUN device.
func newTUNs(t *testing.T) (client, server TUN) {
	t.Helper()
	lab := New(t)
	if err := TUNAvailable(); err != nil {
		t.Skip(err)
	}
	return lab.TUNPair()
}

// What one host sends is read from its device, and written to the other device it
// arrives there; in either family and direction.
func TestTUNPairIsJoinedByHand(t *testing.T) {
	t.Parallel()
	client, server := newTUNs(t)
	for _, way := range [][2]TUN{{client, server}, {server, client}} {
		source, target := way[0], way[1]
		if flags, err := unix.FcntlInt(uintptr(source.FD()), unix.F_GETFL, 0); flags&unix.O_NONBLOCK == 0 || err != nil {
			t.Errorf("the device of %s has flags %#x, %v; want it non-blocking", source.Name(), flags, err)
		}
		for family, addrs := range [][2]string{{source.Addr(), target.Addr()}, {source.Addr6(), target.Addr6()}} {
			text := fmt.Sprintf("from %s to %s", addrs[0], addrs[1])
			receiver := listenUDP(t, target, addrs[1])
			sendUDP(t, source, receiver.LocalAddr().String(), text)
			packet := sentPacket(t, source, text)
			if version, want := packet[0]>>4, byte(4+2*family); version != want {
				t.Errorf("the packet from %s begins with %#x, want the header of IPv%d", addrs[0], packet[0], want)
			}
			if n, err := unix.Write(target.FD(), packet); n != len(packet) || err != nil {
				t.Fatalf("write of %d bytes to the device of %s: %d, %v", len(packet), target.Name(), n, err)
			}
			got, from := receiveUDP(t, receiver)
			if got != text || from != addrs[0] {
				t.Errorf("host %s received %q from %s, want %q", target.Name(), got, from, text)
			}
		}
	}
}

func listenUDP(t *testing.T, h TUN, addr string) net.PacketConn {
	t.Helper()
	lc := h.ListenConfig()
	conn, err := lc.ListenPacket(t.Context(), "udp", net.JoinHostPort(addr, "0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func sendUDP(t *testing.T, h TUN, address, text string) {
	t.Helper()
	conn, err := h.DialContext(t.Context(), "udp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

// receiveUDP takes what has arrived; the deadline is for what should have.
func receiveUDP(t *testing.T, conn net.PacketConn) (text, from string) {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 100)
	n, addr, err := conn.ReadFrom(buffer)
	if err != nil {
		t.Fatal(err)
	}
	return string(buffer[:n]), addr.(*net.UDPAddr).IP.String()
}

// sentPacket reads the packet that ends in text from a host's device. The kernel's own
// multicast may come before it.
func sentPacket(t *testing.T, h TUN, text string) (packet []byte) {
	t.Helper()
	buffer := make([]byte, 1<<16)
	await(t, "the packet "+text, func() bool {
		for {
			n, err := unix.Read(h.FD(), buffer)
			if errors.Is(err, unix.EAGAIN) {
				return false
			}
			if err != nil {
				t.Fatal(err)
			}
			if bytes.HasSuffix(buffer[:n], []byte(text)) {
				packet = buffer[:n]
				return true
			}
		}
	})
	return packet
}

// The hosts are those of Pair but for what joins them.
func TestTUNPairIsLikePair(t *testing.T) {
	t.Parallel()
	client, server := newTUNs(t)
	pairClient, pairServer := New(t).Pair()
	for tun, host := range map[*Host]*Host{client.Host: pairClient, server.Host: pairServer} {
		if got, want := portrait(t, tun), portrait(t, host); got != want {
			t.Errorf("a host with a TUN device is\n%s, want\n%s", got, want)
		}
	}
}

// portrait tells a host's name, its addresses, those of its eth0, and its pins.
func portrait(t *testing.T, h *Host) string {
	t.Helper()
	var text strings.Builder
	fmt.Fprintln(&text, h.Name(), h.Addrs(), h.Addrs6())
	err := h.Do(func() error {
		eth0, err := net.InterfaceByName("eth0")
		if err != nil {
			return err
		}
		addrs, err := eth0.Addrs()
		fmt.Fprintln(&text, addrs, eth0.MTU, eth0.Flags&net.FlagUp)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pins {
		value, err := h.ReadSysctl(p.key)
		fmt.Fprintln(&text, p.key, value, err)
	}
	return text.String()
}

// What arrives for nobody is refused by the host it was written to, before the write
// returns: the answer can be read at once.
func TestTUNWriteIsDoneWhenItReturns(t *testing.T) {
	t.Parallel()
	client, server := newTUNs(t)
	sendUDP(t, client, net.JoinHostPort(server.Addr(), "9"), "to nobody")
	before := server.Counters()
	if _, err := unix.Write(server.FD(), sentPacket(t, client, "to nobody")); err != nil {
		t.Fatal(err)
	}
	if moved := server.Counters().Since(before); moved["UdpNoPorts"] != 1 || moved["IcmpOutDestUnreachs"] != 1 {
		t.Errorf("the server counted %v, want UdpNoPorts 1 and IcmpOutDestUnreachs 1", moved)
	}
}

// TUNAvailable says what is missing and what to type. The role sees to it that it is
// missing, on every machine and for every user.
func TestTUNAvailable(t *testing.T) {
	New(t) // where there is no mount namespace either, as without a network namespace
	for missing, want := range map[string]string{
		"device":     "open /dev/net/tun: no such file or directory; type: sudo modprobe tun",
		"permission": "open /dev/net/tun: permission denied; run as root: go test -exec 'sudo -E' ./..., or type: sudo chmod 0666 /dev/net/tun",
	} {
		t.Run(missing, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), "/proc/self/exe", missing)
			cmd.Env = append(os.Environ(), roleVariable+"=no-tun")
			cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}
			output, err := cmd.CombinedOutput()
			if got := strings.TrimSpace(string(output)); got != want || err != nil {
				t.Errorf("without %s TUNAvailable is %s, %v; want %s", missing, got, err, want)
			}
		})
	}
}
