package main

import (
	"bytes"
	"context"
	"debug/elf"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// wanted are the modules that the suites need of a kernel that does not have them built
// in: links, bridges, TUN devices, sock_diag, and the packet filter with its reject.
var wanted = []string{"veth", "tun", "bridge", "tcp_diag", "nf_tables", "nft_reject_inet"}

// module is a part of a kernel that is loaded at run time.
type module struct {
	name  string
	image []byte   // as finit_module(2) takes it
	needs []string // to be loaded before it
}

// loadOrder puts modules behind those that they need. find gives a module by its name,
// or nil if it is built in.
func loadOrder(names []string, find func(name string) (*module, error)) ([]module, error) {
	var order []module
	seen := map[string]bool{}
	var visit func(name string) error
	visit = func(name string) error {
		if seen[name] {
			return nil
		}
		seen[name] = true
		m, err := find(name)
		if err != nil || m == nil {
			return err
		}
		for _, needed := range m.needs {
			if err := visit(needed); err != nil {
				return fmt.Errorf("%s needs %w", name, err)
			}
		}
		order = append(order, *m)
		return nil
	}
	for _, name := range names {
		if err := visit(name); err != nil {
			return nil, err
		}
	}
	return order, nil
}

// needs reads the names in a module's section .modinfo: "depends=nfnetlink,libcrc32c".
func needs(modinfo []byte) []string {
	for entry := range bytes.SplitSeq(modinfo, []byte{0}) {
		if names, ok := strings.CutPrefix(string(entry), "depends="); ok {
			return strings.FieldsFunc(names, func(r rune) bool { return r == ',' })
		}
	}
	return nil
}

// moduleName is that of a module's file: "kernel/crypto/crc32c-intel.ko.xz" has
// crc32c_intel. The kernel takes both characters for the same.
func moduleName(path string) string {
	name, _, _ := strings.Cut(filepath.Base(path), ".ko")
	return strings.ReplaceAll(name, "-", "_")
}

// modulesOf reads what the suites need from an unpacked kernel's folder lib/modules/...
func modulesOf(ctx context.Context, folder string) ([]module, error) {
	builtIn, err := os.ReadFile(filepath.Join(folder, "modules.builtin"))
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	for path := range strings.Lines(string(builtIn)) {
		files[moduleName(path)] = ""
	}
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.Contains(entry.Name(), ".ko") {
			files[moduleName(path)] = path
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return loadOrder(wanted, func(name string) (*module, error) {
		path, known := files[name]
		if !known {
			return nil, fmt.Errorf("the module %s, which this kernel does not have", name)
		}
		if path == "" {
			return nil, nil
		}
		return readModule(ctx, name, path)
	})
}

func readModule(ctx context.Context, name, path string) (*module, error) {
	image, err := os.ReadFile(path)
	if strings.HasSuffix(path, ".xz") {
		image, err = exec.CommandContext(ctx, "xz", "--decompress", "--stdout", path).Output()
	}
	if err != nil {
		return nil, fmt.Errorf("read the module %s: %w", path, err)
	}
	file, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return nil, fmt.Errorf("read the module %s: %w", path, err)
	}
	section := file.Section(".modinfo")
	if section == nil {
		return nil, fmt.Errorf("read the module %s: it has no section .modinfo", path)
	}
	modinfo, err := section.Data()
	return &module{name, image, needs(modinfo)}, err
}

// names lists modules in their order.
func names(modules []module) []string {
	var all []string
	for _, m := range modules {
		all = append(all, m.name)
	}
	return slices.Clip(all)
}
