package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// apt is apt with folders and a list of sources of its own: it reads the machine's
// settings, such as a proxy, and changes nothing outside its folder.
type apt struct {
	folder string
	lists  []string // options that make it so
}

// newApt fetches the lists of packages. apt verifies them with Debian's keys, and every
// package by the checksum in them.
func newApt(ctx context.Context, folder string) (*apt, error) {
	if _, err := os.Stat(keyring); err != nil {
		return nil, fmt.Errorf("no package can be trusted without Debian's keys, and %s is missing; type: sudo apt-get install debian-archive-keyring", keyring)
	}
	// The label of a mirror is known once its lists have been fetched, as on any Debian in use.
	targets, err := output(ctx, folder, "apt-get", "indextargets", "--format", mirrorFormat)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"lists/partial", "cache/archives/partial", "parts"} {
		if err := os.MkdirAll(filepath.Join(folder, name), 0o755); err != nil {
			return nil, err
		}
	}
	list, status := filepath.Join(folder, "sources.list"), filepath.Join(folder, "status")
	err = errors.Join(os.WriteFile(list, []byte(sources(mirrors(targets))), 0o644), os.WriteFile(status, nil, 0o644))
	if err != nil {
		return nil, err
	}
	a := &apt{folder: folder}
	for _, option := range []string{
		"Dir::Etc::SourceList=" + list,
		"Dir::Etc::SourceParts=" + filepath.Join(folder, "parts"),
		"Dir::Etc::Preferences=/dev/null",
		"Dir::Etc::PreferencesParts=" + filepath.Join(folder, "parts"),
		"Dir::State::Lists=" + filepath.Join(folder, "lists"),
		"Dir::State::Status=" + status, // of the packages that are installed: none
		"Dir::Cache=" + filepath.Join(folder, "cache"),
		"APT::Architecture=amd64",
		"APT::Architectures::=amd64",
		"APT::Sandbox::User=root", // who else could not write to the folder
		"Acquire::Languages=none",
	} {
		a.lists = append(a.lists, "-o", option)
	}
	if _, err := a.run(ctx, "apt-get", "update", "-qq", "--error-on=any"); err != nil {
		return nil, fmt.Errorf("fetch Debian's lists of packages: %w", err)
	}
	return a, nil
}

// packages lists the names of all kernels.
func (a *apt) packages(ctx context.Context) ([]string, error) {
	text, err := a.run(ctx, "apt-cache", "pkgnames", "linux-image-")
	return strings.Fields(text), err
}

// unpack downloads a package and unpacks it into a folder of its own.
func (a *apt) unpack(ctx context.Context, name string) (string, error) {
	folder := filepath.Join(a.folder, name)
	if err := os.Mkdir(folder, 0o755); err != nil {
		return "", err
	}
	if _, err := a.runIn(ctx, folder, "apt-get", "download", "-qq", name); err != nil {
		return "", err
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.deb"))
	if err != nil || len(files) != 1 {
		return "", fmt.Errorf("download %s: got the files %q", name, files)
	}
	_, err = output(ctx, folder, "dpkg-deb", "--extract", files[0], folder)
	return folder, errors.Join(err, os.Remove(files[0]))
}

func (a *apt) run(ctx context.Context, name string, args ...string) (string, error) {
	return a.runIn(ctx, a.folder, name, args...)
}

func (a *apt) runIn(ctx context.Context, folder, name string, args ...string) (string, error) {
	return output(ctx, folder, name, append(args, a.lists...)...)
}

// output runs a program in a folder and returns what it prints. Its complaints are in
// the error.
func output(ctx context.Context, folder, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = folder
	text, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(string(exit.Stderr)))
	}
	return string(text), err
}
