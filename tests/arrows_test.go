package tests

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/rstlab/rstlab"

// arrows are the law of who may import whom: for each room, the packages outside
// the standard library that its code, tests aside, may import. Arrows go one way:
// servers and loadclient do not know the laboratory, and it does not know them.
var arrows = map[string][]string{
	"netlab": {
		module + "/netlab/scenario", "github.com/vishvananda/netlink", "github.com/vishvananda/netlink/nl",
		"github.com/vishvananda/netns", "go.uber.org/goleak", "golang.org/x/sys/unix",
	},
	"netlab/scenario": {},
	"netlab/predict":  {module + "/netlab/scenario"},
	"netlab/wire": {
		module + "/netlab", module + "/netlab/scenario", "github.com/vishvananda/netlink", "golang.org/x/sys/unix",
		"github.com/gopacket/gopacket", "github.com/gopacket/gopacket/layers", "github.com/gopacket/gopacket/pcapgo",
	},
	"servers":     {module + "/servers/rpc", "golang.org/x/sys/unix"},
	"servers/rpc": {},
	"loadclient": {
		module + "/netlab/scenario", module + "/loadclient/response", "github.com/HdrHistogram/hdrhistogram-go", "golang.org/x/sys/unix",
	},
	"loadclient/response": {},
	"tests":               {},
	"tests/gate": {
		module + "/netlab", module + "/netlab/scenario", module + "/netlab/predict", module + "/netlab/wire", module + "/netlab/witness",
		module + "/netlab/diagnose", module + "/netlab/report", module + "/loadclient", "github.com/goccy/go-yaml", "golang.org/x/sys/unix",
	},
	"netlab/diagnose": {module + "/netlab/scenario", "github.com/gopacket/gopacket", "github.com/gopacket/gopacket/layers"},
	"netlab/witness": {
		module + "/netlab", module + "/netlab/scenario", "golang.org/x/sys/unix",
		"github.com/gopacket/gopacket", "github.com/gopacket/gopacket/layers", "github.com/gopacket/gopacket/pcapgo",
	},
	"netlab/report": {module + "/netlab/scenario", module + "/netlab/diagnose", module + "/netlab/predict"},
	"scripts/scenario": {
		module + "/netlab", module + "/netlab/scenario", module + "/netlab/predict", module + "/netlab/wire",
		module + "/loadclient", module + "/servers", module + "/servers/rpc", module + "/scripts/internal/program",
	},
	"scripts/field": {
		module + "/netlab", module + "/netlab/scenario", module + "/netlab/predict", module + "/netlab/wire",
		module + "/scripts/internal/program", module + "/scripts/internal/commandline", "github.com/vishvananda/netlink", "golang.org/x/sys/unix",
	},
	"scripts/bench": {
		module + "/netlab", module + "/netlab/scenario", module + "/netlab/wire", module + "/netlab/witness",
		module + "/loadclient", module + "/scripts/internal/program", module + "/scripts/internal/commandline", "golang.org/x/sys/unix",
	},
	"scripts/internal/program":     {},
	"scripts/internal/captured":    {},
	"scripts/internal/commandline": {},
	"scripts/diagnose": {
		module + "/netlab", module + "/netlab/scenario", module + "/netlab/diagnose", module + "/netlab/report",
		"github.com/gopacket/gopacket", "github.com/gopacket/gopacket/layers", "github.com/gopacket/gopacket/pcapgo",
	},
	"scripts/swarm":                  {module + "/loadclient", module + "/netlab/scenario", module + "/scripts/swarm/internal/meeting"},
	"scripts/swarm/internal/meeting": {},
	"scripts/kernels":                {module + "/netlab/scenario", "golang.org/x/sys/unix"},
	"scripts/hygiene":                {"github.com/vishvananda/netlink", "golang.org/x/sys/unix"},
}

// pure are the rooms that are arithmetic over values.
var pure = []string{"netlab/scenario", "netlab/predict", "netlab/diagnose"}

// effects are the packages of the standard library that a pure room does not import,
// nor those below them. Addresses and URLs are values.
var effects = []string{"context", "net", "os", "runtime", "syscall", "testing"}
var values = []string{"net/netip", "net/url"}

// clocks are the functions of package time that a pure room does not call.
var clocks = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer"}

func TestArrows(t *testing.T) {
	rooms := readRooms(t, os.DirFS(".."))
	for _, name := range slices.Sorted(maps.Keys(rooms)) {
		for _, complaint := range rooms[name].complaints(name) {
			t.Error(complaint)
		}
	}
	for name := range arrows {
		if _, ok := rooms[name]; !ok {
			t.Errorf("arrows has a room %s, which does not exist", name)
		}
	}
}

// room is what one folder's Go files import and which clocks they read, tests aside.
type room struct {
	imports []string
	clocks  []string
}

func (r room) complaints(name string) []string {
	allowed, known := arrows[name]
	if !known {
		return []string{name + ": a new room; say in arrows what it may import"}
	}
	var all []string
	for _, imported := range r.imports {
		first, _, _ := strings.Cut(imported, "/")
		switch {
		case strings.Contains(first, ".") && !slices.Contains(allowed, imported):
			all = append(all, name+" imports "+imported+", which is against the arrows")
		case slices.Contains(pure, name) && slices.Contains(effects, first) && !slices.Contains(values, imported):
			all = append(all, name+" is pure and imports "+imported)
		}
	}
	if slices.Contains(pure, name) {
		for _, clock := range r.clocks {
			all = append(all, name+" is pure and calls "+clock)
		}
	}
	return all
}

// readRooms parses the Go files of every folder, tests aside.
func readRooms(t *testing.T, root fs.FS) map[string]room {
	t.Helper()
	rooms := map[string]room{}
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && notARoom(root, name):
			return fs.SkipDir
		case entry.IsDir(), !strings.HasSuffix(name, ".go"), strings.HasSuffix(name, "_test.go"):
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		r := rooms[path.Dir(name)]
		r.add(t, name, text)
		rooms[path.Dir(name)] = r
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rooms
}

// notARoom tells folders that Go does not build as part of this module.
func notARoom(root fs.FS, folder string) bool {
	_, err := fs.Stat(root, path.Join(folder, "go.mod"))
	return err == nil || strings.HasPrefix(path.Base(folder), ".") || path.Base(folder) == "testdata"
}

func (r *room) add(t *testing.T, name string, text []byte) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, text, 0)
	if err != nil {
		t.Fatal(err)
	}
	clock := "time"
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		r.imports = append(r.imports, imported)
		if imported == "time" && spec.Name != nil {
			clock = spec.Name.Name
		}
	}
	ast.Inspect(file, func(node ast.Node) bool {
		if call, ok := node.(*ast.SelectorExpr); ok {
			if of, ok := call.X.(*ast.Ident); ok && of.Name == clock && slices.Contains(clocks, call.Sel.Name) {
				r.clocks = append(r.clocks, "time."+call.Sel.Name)
			}
		}
		return true
	})
}

// The check itself sees an arrow that is against the law.
func TestArrowsSeeWhatIsForbidden(t *testing.T) {
	for _, c := range []struct {
		name string
		room room
		want string
	}{
		{"servers", room{imports: []string{module + "/netlab"}}, "servers imports " + module + "/netlab, which is against the arrows"},
		{"loadclient", room{imports: []string{module + "/netlab"}}, "loadclient imports " + module + "/netlab, which is against the arrows"},
		{"netlab", room{imports: []string{module + "/loadclient"}}, "netlab imports " + module + "/loadclient, which is against the arrows"},
		{"netlab/scenario", room{imports: []string{"os"}}, "netlab/scenario is pure and imports os"},
		{"netlab/scenario", room{imports: []string{"os/user"}}, "netlab/scenario is pure and imports os/user"},
		{"netlab/scenario", room{clocks: []string{"time.Now"}}, "netlab/scenario is pure and calls time.Now"},
		{"helpers", room{}, "helpers: a new room; say in arrows what it may import"},
		{"netlab/scenario", room{imports: []string{"fmt", "net/netip"}}, ""},
	} {
		if got := strings.Join(c.room.complaints(c.name), "; "); got != c.want {
			t.Errorf("complaints of %s:\n got %q\nwant %q", c.name, got, c.want)
		}
	}
	var renamed room
	renamed.add(t, "x.go", []byte("package x\nimport clock \"time\"\nvar start = clock.Now()\n"))
	if got := strings.Join(renamed.complaints("netlab/scenario"), "; "); got != "netlab/scenario is pure and calls time.Now" {
		t.Errorf("complaints of a renamed clock: %q", got)
	}
}
