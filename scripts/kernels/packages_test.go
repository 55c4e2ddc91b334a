package main

import (
	"slices"
	"strings"
	"testing"
)

// available is what apt lists, in no order.
var available = []string{
	"linux-image-6.1.0-9-cloud-amd64", "linux-image-6.1.0-56-cloud-amd64", "linux-image-6.1.0-56-cloud-amd64-unsigned",
	"linux-image-6.12-cloud-amd64", "linux-image-6.12.117+deb12-cloud-amd64", "linux-image-6.12.99+deb12-cloud-amd64",
	"linux-image-6.1.0-57-rt-amd64", "linux-image-6.1.0-60-cloud-amd64-dbg", "linux-image-cloud-amd64",
}

func TestNewest(t *testing.T) {
	for release, want := range map[string]string{
		"6.1":  "linux-image-6.1.0-56-cloud-amd64",
		"6.12": "linux-image-6.12.117+deb12-cloud-amd64",
	} {
		if got, err := newest(release, available); err != nil || got != want {
			t.Errorf("newest of %s is %q, %v, want %q", release, got, err, want)
		}
	}
	_, err := newest("6.6", available)
	const want = "there is no package linux-image-6.6.*-cloud-amd64 in bookworm, bookworm-security; its releases are 6.1, 6.12"
	if err == nil || err.Error() != want {
		t.Errorf("newest of 6.6: %v\nwant %s", err, want)
	}
}

func TestSources(t *testing.T) {
	found := mirrors("Debian|Debian|http://mirror.example/debian/\nUbuntu|Ubuntu|http://ubuntu.example/\nDebian|Debian Backports|x\n\n")
	lines := slices.Collect(strings.Lines(sources(found)))
	want := []string{
		"deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/debian/ bookworm main\n",
		"deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian-security/ bookworm-security main\n",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("sources are\n%v\nwant\n%v", lines, want)
	}
}
