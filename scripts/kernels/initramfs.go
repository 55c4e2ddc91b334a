package main

import (
	"bytes"
	"fmt"
)

// initramfs is the file system that a kernel starts with: a cpio archive in the format
// "newc" (Documentation/driver-api/early-userspace/buffer-format.rst). Folders come
// before what is in them.
type initramfs struct {
	bytes.Buffer
	inodes int
}

const (
	typeFolder = 0o040000
	typeFile   = 0o100000
)

func (a *initramfs) folder(name string) { a.entry(name, typeFolder|0o755, nil) }

func (a *initramfs) file(name string, content []byte) { a.entry(name, typeFile|0o755, content) }

// end returns the whole archive.
func (a *initramfs) end() []byte {
	a.entry("TRAILER!!!", 0, nil)
	return a.Bytes()
}

func (a *initramfs) entry(name string, mode int, content []byte) {
	a.inodes++
	const links = 1
	// magic, inode, mode, user, group, links, time, size, four device numbers, length of
	// the name with its zero, checksum
	fmt.Fprintf(a, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00",
		a.inodes, mode, 0, 0, links, 0, len(content), 0, 0, 0, 0, len(name)+1, 0, name)
	a.align()
	a.Write(content)
	a.align()
}

// align fills up to four bytes.
func (a *initramfs) align() { a.Write(make([]byte, -a.Len()&3)) }
