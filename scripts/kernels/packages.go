package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// archive is a part of Debian in which kernels are looked for. To look in one more, add
// it here.
type archive struct {
	label string // by which apt tells its mirrors apart
	suite string
	uri   string // of Debian's own mirror
}

var archives = []archive{
	{"Debian", "bookworm", "http://deb.debian.org/debian/"},
	{"Debian-Security", "bookworm-security", "http://deb.debian.org/debian-security/"},
}

// keyring has the keys with which Debian signs its archives.
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// sources is a sources.list for the archives, at the mirrors that a machine already
// uses, by their label, and else at Debian's own.
func sources(mirrors map[string]string) string {
	var text strings.Builder
	for _, a := range archives {
		uri := mirrors[a.label]
		if uri == "" {
			uri = a.uri
		}
		fmt.Fprintf(&text, "deb [arch=amd64 signed-by=%s] %s %s main\n", keyring, uri, a.suite)
	}
	return text.String()
}

// mirrorFormat makes apt-get indextargets print lines that mirrors reads.
const mirrorFormat = "$(ORIGIN)|$(LABEL)|$(REPO_URI)"

// mirrors are the addresses of a machine's Debian mirrors by their label.
func mirrors(indexTargets string) map[string]string {
	found := map[string]string{}
	for line := range strings.Lines(indexTargets) {
		fields := strings.Split(strings.TrimSpace(line), "|")
		if len(fields) == 3 && fields[0] == "Debian" {
			found[fields[1]] = fields[2]
		}
	}
	return found
}

// cloudImage matches the name of a signed kernel for cloud machines, not that of a
// package that only depends on one.
var cloudImage = regexp.MustCompile(`^linux-image-(\d+\.\d+\.\d\S*)-cloud-amd64$`)

// newest picks the package of a release's newest kernel: of 6.1 that is
// linux-image-6.1.0-56-cloud-amd64 rather than one of 6.12.
func newest(release string, packages []string) (string, error) {
	var best string
	for _, name := range packages {
		version := cloudImage.FindStringSubmatch(name)
		if version == nil || !strings.HasPrefix(version[1], release+".") {
			continue
		}
		if best == "" || slices.Compare(numbers(name), numbers(best)) > 0 {
			best = name
		}
	}
	if best == "" {
		return "", fmt.Errorf("there is no package linux-image-%s.*-cloud-amd64 in %s; its releases are %s", release, suiteNames(), strings.Join(releases(packages), ", "))
	}
	return best, nil
}

// releases lists which releases there are packages of, oldest first.
func releases(packages []string) []string {
	var all []string
	for _, name := range packages {
		if version := cloudImage.FindStringSubmatch(name); version != nil {
			parts := strings.Split(version[1], ".")
			all = append(all, parts[0]+"."+parts[1])
		}
	}
	slices.SortFunc(all, func(a, b string) int { return slices.Compare(numbers(a), numbers(b)) })
	return slices.Compact(all)
}

func suiteNames() string {
	var names []string
	for _, a := range archives {
		names = append(names, a.suite)
	}
	return strings.Join(names, ", ")
}

var digits = regexp.MustCompile(`\d+`)

// numbers are those in a name, from left to right.
func numbers(name string) []int {
	var all []int
	for _, text := range digits.FindAllString(name, -1) {
		n, err := strconv.Atoi(text)
		if err != nil {
			n = -1 // longer than any version's
		}
		all = append(all, n)
	}
	return all
}
