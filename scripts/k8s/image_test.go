package k8s

import (
	"debug/elf"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the folder of the repository, which is what the image is built from.
const root = "../.."

// instruction gives what the Dockerfile's last line of a kind says.
func instruction(t *testing.T, kind string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^`+kind+` (.*)$`).FindAllStringSubmatch(contents(t, "Dockerfile"), -1)
	if found == nil {
		t.Fatalf("the Dockerfile has no %s", kind)
	}
	return found[len(found)-1][1]
}

// program builds the program of the image as the Dockerfile does, and gives its path.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "swarm")
	line := strings.Replace(instruction(t, "RUN"), " -o /swarm ", " -o "+path+" ", 1)
	build := exec.CommandContext(t.Context(), "sh", "-c", line)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
	return path
}

// The image holds one program that needs nothing else, and runs it as the user of the Job.
func TestImage(t *testing.T) {
	m, err := read(contents(t, "swarm.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	pod := m.pod().SecurityContext
	for _, c := range []struct{ kind, want string }{
		{"FROM", "scratch"},
		{"COPY", "--from=build /swarm /swarm"},
		{"ENTRYPOINT", `["/swarm"]`},
		{"USER", fmt.Sprintf("%d:%d", *pod.RunAsUser, *pod.RunAsGroup)},
	} {
		if got := instruction(t, c.kind); got != c.want {
			t.Errorf("%s is %s, want %s", c.kind, got, c.want)
		}
	}
	release := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(contents(t, root+"/go.mod"))[1]
	if from := "FROM golang:" + release + " AS build\n"; !strings.Contains(contents(t, "Dockerfile"), from) {
		t.Errorf("the Dockerfile does not build with Go %s, which go.mod asks for: %q is missing", release, from)
	}
	file, err := elf.Open(program(t))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, segment := range file.Progs {
		if segment.Type == elf.PT_INTERP {
			t.Error("the program is not static, and the image has no loader for it")
		}
	}
}
