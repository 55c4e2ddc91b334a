package main

import (
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/rstlab/rstlab/netlab"
)

// Every server is complete, and no placeholder is left in what it is started with.
func TestServersPrepare(t *testing.T) {
	for _, s := range servers {
		t.Run(s.Name, func(t *testing.T) {
			if s.Request == "" || s.Answer == "" {
				t.Error("it has no request or no answer")
			}
			folder := t.TempDir()
			args, err := s.prepare("/bin/"+s.Name, folder)
			if err != nil {
				t.Fatal(err)
			}
			texts := slices.Clone(args)
			for _, name := range s.Files {
				text, err := os.ReadFile(filepath.Join(folder, name))
				if err != nil {
					t.Fatal(err)
				}
				texts = append(texts, string(text))
			}
			all := strings.Join(texts, "\n")
			if strings.Contains(all, "@") {
				t.Errorf("a placeholder is left in\n%s", all)
			}
			if s.Program != "" && (!strings.Contains(all, "8080") || !strings.Contains(all, "/bin/"+s.Name)) {
				t.Errorf("the port or the program is not in\n%s", all)
			}
		})
	}
}

func TestFind(t *testing.T) {
	folder := t.TempDir()
	for _, version := range []string{"14", "15"} {
		if err := os.WriteFile(filepath.Join(folder, version), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		server              server
		executable, missing string
	}{
		{server{Program: folder + "/1*"}, folder + "/15", ""},
		{server{Program: folder + "/2*", Package: "two"}, "", "not installed; apt install two"},
		{server{}, "/proc/self/exe", ""},
	} {
		if executable, missing := test.server.find(); executable != test.executable || missing != test.missing {
			t.Errorf("find(%q) = %q, %q, want %q, %q", test.server.Program, executable, missing, test.executable, test.missing)
		}
	}
}

func TestVersion(t *testing.T) {
	if got := (server{}).version("/proc/self/exe"); got != runtime.Version() {
		t.Errorf("version of Go's server = %q, want %q", got, runtime.Version())
	}
	if got := (server{Program: "/x"}).version("/no/package/has/this"); got != "unknown" {
		t.Errorf("version of a file of no package = %q, want unknown", got)
	}
}

// Clients over IPv4 come to the listeners on IPv4 addresses, if there are any.
func TestListeners(t *testing.T) {
	at := func(addr string) netlab.AcceptQueue { return netlab.AcceptQueue{Addr: netip.MustParseAddrPort(addr)} }
	v4, other, v6 := at("0.0.0.0:8080"), at("0.0.0.0:80"), at("[::]:8080")
	for _, test := range []struct{ all, want []netlab.AcceptQueue }{
		{[]netlab.AcceptQueue{other}, nil},
		{[]netlab.AcceptQueue{other, v6}, []netlab.AcceptQueue{v6}},
		{[]netlab.AcceptQueue{v4, other, v6}, []netlab.AcceptQueue{v4}},
		{[]netlab.AcceptQueue{v4, v4}, []netlab.AcceptQueue{v4, v4}},
	} {
		if got := listeners(test.all); !slices.Equal(got, test.want) {
			t.Errorf("listeners(%v) = %v, want %v", test.all, got, test.want)
		}
	}
}
