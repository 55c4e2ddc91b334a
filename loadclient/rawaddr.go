package loadclient

import (
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// rawAddr is a socket address as the kernel takes it.
type rawAddr struct {
	bytes [unix.SizeofSockaddrInet6]byte
	size  uintptr
}

func newRawAddr(a netip.AddrPort) (r rawAddr) {
	if a.Addr().Is4() {
		raw := (*unix.RawSockaddrInet4)(unsafe.Pointer(&r.bytes))
		raw.Family, raw.Addr = unix.AF_INET, a.Addr().As4()
		r.size = unix.SizeofSockaddrInet4
	} else {
		raw := (*unix.RawSockaddrInet6)(unsafe.Pointer(&r.bytes))
		raw.Family, raw.Addr = unix.AF_INET6, a.Addr().As16()
		r.size = unix.SizeofSockaddrInet6
	}
	r.bytes[2], r.bytes[3] = byte(a.Port()>>8), byte(a.Port()) // both kinds have the port there, in network order
	return r
}

// addr is the address as others take it; zero where there is no port.
func (r *rawAddr) addr() netip.AddrPort {
	port := uint16(r.bytes[2])<<8 | uint16(r.bytes[3])
	switch family := (*unix.RawSockaddr)(unsafe.Pointer(&r.bytes)).Family; {
	case port == 0:
		return netip.AddrPort{}
	case family == unix.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(&r.bytes)).Addr), port)
	}
	return netip.AddrPortFrom(netip.AddrFrom16((*unix.RawSockaddrInet6)(unsafe.Pointer(&r.bytes)).Addr), port)
}

// bindSocket is bind(2), which allocates nothing here.
func bindSocket(fd int, a netip.AddrPort) syscall.Errno {
	r := newRawAddr(a)
	_, _, errno := unix.RawSyscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&r.bytes)), r.size)
	return errno
}

// localAddr is the address the socket fd is bound to. It is zero where no port
// was taken, or the kernel took it back when the connect failed.
func localAddr(fd int) netip.AddrPort {
	var r rawAddr
	size := uint32(len(r.bytes))
	_, _, errno := unix.RawSyscall(unix.SYS_GETSOCKNAME, uintptr(fd), uintptr(unsafe.Pointer(&r.bytes)), uintptr(unsafe.Pointer(&size)))
	if errno != 0 {
		return netip.AddrPort{}
	}
	return r.addr()
}
