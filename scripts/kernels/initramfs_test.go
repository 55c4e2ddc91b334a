package main

import "testing"

// The archive is what `printf hello | cpio` would make, field by field.
func TestInitramfs(t *testing.T) {
	var a initramfs
	a.folder("dir")
	a.file("dir/f", []byte("hello"))
	const zero = "00000000"
	want := "070701" + "00000001" + "000041ed" + zero + zero + "00000001" + zero + zero + zero + zero + zero + zero + "00000004" + zero + "dir\x00" + "\x00\x00" +
		"070701" + "00000002" + "000081ed" + zero + zero + "00000001" + zero + "00000005" + zero + zero + zero + zero + "00000006" + zero + "dir/f\x00" +
		"hello\x00\x00\x00" +
		"070701" + "00000003" + zero + zero + zero + "00000001" + zero + zero + zero + zero + zero + zero + "0000000b" + zero + "TRAILER!!!\x00" + "\x00\x00\x00"
	if got := string(a.end()); got != want {
		t.Errorf("archive is\n%q\nwant\n%q", got, want)
	}
}
