package main

import (
	"errors"
	"slices"
	"testing"
)

func TestLoadOrder(t *testing.T) {
	all := map[string]*module{
		"nf_tables":       {name: "nf_tables", needs: []string{"nfnetlink", "libcrc32c"}},
		"nft_reject_inet": {name: "nft_reject_inet", needs: []string{"nf_tables", "nft_reject"}},
		"nft_reject":      {name: "nft_reject", needs: []string{"nf_tables"}},
		"nfnetlink":       {name: "nfnetlink"},
		"libcrc32c":       nil, // built in
		"a":               {name: "a", needs: []string{"b"}},
		"b":               {name: "b", needs: []string{"missing"}},
	}
	find := func(name string) (*module, error) {
		m, known := all[name]
		if !known {
			return nil, errors.New("the module " + name)
		}
		return m, nil
	}
	order, err := loadOrder([]string{"nft_reject_inet", "nfnetlink"}, find)
	if got, want := names(order), []string{"nfnetlink", "nf_tables", "nft_reject", "nft_reject_inet"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("order is %v, %v, want %v", got, err, want)
	}
	if _, err := loadOrder([]string{"a"}, find); err == nil || err.Error() != "a needs b needs the module missing" {
		t.Errorf("order with a missing module: %v", err)
	}
}

func TestNeeds(t *testing.T) {
	for modinfo, want := range map[string][]string{
		"license=GPL\x00depends=nfnetlink,libcrc32c\x00name=nf_tables\x00": {"nfnetlink", "libcrc32c"},
		"depends=\x00name=veth\x00":                                        {},
		"":                                                                 nil,
	} {
		if got := needs([]byte(modinfo)); !slices.Equal(got, want) {
			t.Errorf("needs of %q are %q, want %q", modinfo, got, want)
		}
	}
}

func TestModuleName(t *testing.T) {
	for path, want := range map[string]string{
		"kernel/arch/x86/crypto/crc32c-intel.ko.xz": "crc32c_intel",
		"kernel/drivers/net/veth.ko\n":              "veth",
	} {
		if got := moduleName(path); got != want {
			t.Errorf("name of %q is %q, want %q", path, got, want)
		}
	}
}
