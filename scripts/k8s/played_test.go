package k8s

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// played is how many clients the Job's pods play here: 101, 101, 100 and 100.
const played = 402

// pods plays the Job's pods as processes on loopback, with their own arguments except for
// where pod 0 and the server are and how many clients come. It gives each pod's log, which
// has standard output and standard error as what kubectl prints does.
func (m manifest) pods(t *testing.T, program, target string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errors.New("the pods took more than a minute"))
	defer cancel()
	meet := freeAddress(t)
	logs := make([]strings.Builder, *m.job.Spec.Completions)
	pods := make([]*exec.Cmd, len(logs))
	for i := range pods {
		args := slices.Clone(m.container().Args)
		here := strings.NewReplacer("$(JOB_COMPLETION_INDEX)", fmt.Sprint(i), m.flag("meet"), meet,
			"-clients="+m.flag("clients"), fmt.Sprintf("-clients=%d", played))
		for j := range args {
			args[j] = here.Replace(args[j])
		}
		args[len(args)-1] = target
		pods[i] = exec.CommandContext(ctx, program, args...)
		pods[i].Env = []string{}
		pods[i].Stdout, pods[i].Stderr = &logs[i], &logs[i] // one pipe for both
		if err := pods[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	texts := make([]string, len(pods))
	for i, pod := range pods {
		err := pod.Wait()
		texts[i] = logs[i].String()
		if err != nil {
			t.Errorf("pod %d: %v (%v)\n%s", i, err, context.Cause(ctx), texts[i])
		}
	}
	return texts
}

// freeAddress is one of loopback where nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// results keeps of each log what docs/kubernetes.md keeps with grep, the lines that begin
// with a brace, and gives the names of the files.
func results(t *testing.T, logs []string) []string {
	t.Helper()
	folder := t.TempDir()
	names := make([]string, len(logs))
	for i, log := range logs {
		var kept strings.Builder
		for line := range strings.Lines(log) {
			if strings.HasPrefix(line, "{") {
				kept.WriteString(line)
			}
		}
		names[i] = filepath.Join(folder, fmt.Sprintf("shard-%d.json", i))
		if err := os.WriteFile(names[i], []byte(kept.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return names
}

// The Job's pods, played here, are one swarm, and their logs merge into its result.
func TestPlayed(t *testing.T) {
	m, err := read(contents(t, "swarm.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var accepted atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			accepted.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	program := program(t)
	names := results(t, m.pods(t, program, server.URL+"/"))
	for i, name := range names {
		var result struct {
			Shard, Shards int
			Fates         map[string]int
		}
		if err := json.Unmarshal([]byte(contents(t, name)), &result); err != nil {
			t.Errorf("the log of pod %d has no result: %v\n%s", i, err, contents(t, name))
			continue
		}
		want := (played - i + len(names) - 1) / len(names)
		if result.Shard != i || result.Shards != len(names) || len(result.Fates) != 1 || result.Fates["served"] != want {
			t.Errorf("pod %d is shard %d of %d with %v, want %d of %d with %d served", i, result.Shard, result.Shards, result.Fates, i, len(names), want)
		}
	}
	merged, err := exec.CommandContext(t.Context(), program, append([]string{"merge"}, names...)...).CombinedOutput()
	if want := fmt.Sprintf(": served %d\n", played); err != nil || !strings.Contains(string(merged), want) {
		t.Errorf("swarm merge: %v, and %q is not in\n%s", err, want, merged)
	}
	if n := accepted.Load(); n != played {
		t.Errorf("the server accepted %d connections, want %d", n, played)
	}
}
