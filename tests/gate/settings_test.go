package gate

import (
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab/scenario"
)

// said gives the configuration of a command line, an environment and a file in a fresh
// folder, which it gives too. Without text there is no file.
func said(t *testing.T, args, environ []string, file string) (Config, string, error) {
	t.Helper()
	folder := t.TempDir()
	if file != "" {
		if err := os.WriteFile(filepath.Join(folder, FileName), []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	settings := NewSettings(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	c, err := settings.Config(folder, environ)
	return c, folder, err
}

func TestDefaultsAreValid(t *testing.T) {
	c, _, err := said(t, nil, []string{"PATH=/bin", "RSTLAB_GATE_PORT="}, "")
	if err != nil || !reflect.DeepEqual(c, Defaults()) {
		t.Errorf("Config() = %+v, %v, want the defaults", c, err)
	}
}

// The command line goes before the environment, and that before the file.
func TestWhoGoesFirst(t *testing.T) {
	const file = "target: ./server\nport: 1\nclients: 1\nstall: 1ms\nenv: {A: file, B: file, C: file}\nlimits: {resets: 1}\n"
	c, folder, err := said(t, []string{"-clients", "3", "-env", "A=flag", "-max-resets", "3"},
		[]string{"RSTLAB_GATE_CLIENTS=2", "RSTLAB_GATE_STALL=2ms", "RSTLAB_GATE_ENV=A=variable\nB=variable", "RSTLAB_GATE_MAX_RESETS=2"}, file)
	want := Defaults()
	want.Target, want.Dir, want.Port, want.Clients, want.Stall, want.Limits.Resets = "./server", folder, 1, 3, 2*time.Millisecond, 3
	want.Env = map[string]string{"A": "flag", "B": "variable", "C": "file"}
	if err != nil || !reflect.DeepEqual(c, want) {
		t.Errorf("Config() = %+v, %v, want\n%+v", c, err, want)
	}
}

// Every field of the file is read, those of the example in the documentation too.
func TestFile(t *testing.T) {
	const file = `
target: redis-server --port 6379
port: 6379
dir: sub
env: {LANG: C}
files:
  a.conf: |
    one
protocol: tcp
send: "PING\r\n"
expect: "+PONG\r\n"
ipv6: true
arrivals:
  - {clients: 3}
  - {clients: 5, at: 1s, gap: 10ms}
requests: 2
timeout: 5s
rtt: 10ms
stall: 1s
sysctls:
  net.core.somaxconn: 128
patience: 3s
limits: {resets: 1, syn_unanswered: 2, unanswered: 3, connect_p99: 1s}
`
	c, folder, err := said(t, nil, nil, file)
	want := Config{
		Target: "redis-server --port 6379", Port: 6379, Dir: filepath.Join(folder, "sub"), Env: map[string]string{"LANG": "C"},
		Files: map[string]string{"a.conf": "one\n"}, Protocol: "tcp", Path: "/", Send: "PING\r\n", Expect: "+PONG\r\n", IPv6: true,
		Arrivals: scenario.Arrivals{{Clients: 3}, {Clients: 5, At: time.Second, Gap: 10 * time.Millisecond}},
		Requests: 2, Timeout: 5 * time.Second, RTT: 10 * time.Millisecond, Stall: time.Second,
		Sysctls: map[string]string{"net.core.somaxconn": "128"}, Patience: 3 * time.Second, Limits: Limits{1, 2, 3, time.Second},
	}
	if err != nil || !reflect.DeepEqual(c, want) {
		t.Errorf("Config() = %+v, %v, want\n%+v", c, err, want)
	}
}

// The folder of a server is that of the file, or the one the command line counts from.
func TestDir(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"-target", "x", "-port", "1"}, ""},
		{[]string{"-target", "x", "-port", "1", "-dir", "sub"}, "sub"},
		{[]string{"-target", "x", "-port", "1", "-dir", "/abs"}, "/abs"},
	} {
		c, folder, err := said(t, test.args, nil, "")
		want := test.want
		if !filepath.IsAbs(want) {
			want = filepath.Join(folder, want)
		}
		if err != nil || c.Dir != want {
			t.Errorf("%v: dir is %s, %v, want %s", test.args, c.Dir, err, want)
		}
	}
}

func TestText(t *testing.T) {
	c, _, err := said(t, []string{"-target", "x", "-port", "1", "-protocol", "tcp", "-send", `GET "a" \"é\" \x00\xff\r\n`, "-expect", `\\`}, nil, "")
	if err != nil || c.Send != "GET \"a\" \"é\" \x00\xff\r\n" || c.Expect != `\` {
		t.Errorf("Config() sends %q and expects %q, %v", c.Send, c.Expect, err)
	}
}

// Waves are JSON on the command line and in the environment.
func TestWaves(t *testing.T) {
	const text = `[{"clients":3},{"clients":5,"at":"1s","gap":"10ms"}]`
	want := scenario.Arrivals{{Clients: 3}, {Clients: 5, At: time.Second, Gap: 10 * time.Millisecond}}
	c, _, err := said(t, []string{"-arrivals", text}, nil, "")
	if err != nil || c.Clients != 0 || !reflect.DeepEqual(c.Arrivals, want) {
		t.Errorf("by flag: %d clients and arrivals %v, %v, want %v", c.Clients, c.Arrivals, err, want)
	}
	c, _, err = said(t, nil, []string{"RSTLAB_GATE_ARRIVALS=" + text}, "")
	if err != nil || c.Clients != 0 || !reflect.DeepEqual(c.Arrivals, want) {
		t.Errorf("by variable: %d clients and arrivals %v, %v, want %v", c.Clients, c.Arrivals, err, want)
	}
}

// What is wrong is said in one sentence: where, what, and what to type instead.
func TestRefuse(t *testing.T) {
	target := []string{"-target", "x", "-port", "1"}
	for _, test := range []struct {
		name          string
		args, environ []string
		file          string
		want          string
	}{
		{"flag", []string{"-clients", "many"}, nil, "", `-clients is "many": want a whole number`},
		{"duration", []string{"-stall", "5"}, nil, "", `-stall is "5": want a duration such as 500ms`},
		{"bool", []string{"-ipv6=perhaps"}, nil, "", `-ipv6 is "perhaps": want true or false`},
		{"pair", []string{"-sysctl", "net.core.somaxconn"}, nil, "", `-sysctl is "net.core.somaxconn": want a name, an equals sign and a value`},
		{"escape", []string{"-send", `\q`}, nil, "", `-send is "\\q": want text, in which a backslash begins an escape such as \n, \x00 or \\`},
		{"variable", nil, []string{"RSTLAB_GATE_MAX_RESETS=few"}, "", `RSTLAB_GATE_MAX_RESETS is "few": want a whole number`},
		{"waves", []string{"-arrivals", `[{"clients":0}]`}, nil, "", "-arrivals: wave 0: clients is 0, want at least 1"},
		{"no waves", nil, []string{"RSTLAB_GATE_ARRIVALS=[]"}, "", `RSTLAB_GATE_ARRIVALS: there is no wave in arrivals, want at least one such as {"clients":64}`},
		{"unknown variable", nil, []string{"RSTLAB_GATE_CLIENT=1"}, "", "the environment has RSTLAB_GATE_CLIENT, which is no setting: want RSTLAB_GATE_ and one of "},
		{"no such file", []string{"-gate", "nosuch.yaml"}, nil, "", "read what is gated: open "},
		{"empty file", nil, nil, "# nothing\n", "rstlab.yaml is empty: want at least a target and a port"},
		{"unknown field", nil, nil, "port: 1\nprot: tcp\n", `rstlab.yaml:2:1: unknown field "prot": want one of target, port, dir, `},
		{"unknown limit", nil, nil, "limits:\n  reset: 1\n", `rstlab.yaml:2:3: unknown field "reset": want one of target, `},
		{"field", nil, nil, "clients: many\n", "rstlab.yaml:1:10: cannot read text as a whole number"},
		{"field of time", nil, nil, "stall: 5\n", `rstlab.yaml: "5" is no duration: want one such as 500ms`},
		{"time with a space", nil, nil, "stall: 1 s\n", `rstlab.yaml: "1 s" is no duration: want one such as 500ms`},
		{"list", nil, nil, "target: [a]\n", "rstlab.yaml:1:9: cannot read a list as text"},
		{"two documents", nil, nil, "clients: 1\n---\nclients: 2\n", "rstlab.yaml has more than one document: want one, without a line ---"},
		{"twice", nil, nil, "port: 1\nport: 2\n", `rstlab.yaml:2:1: mapping key "port" already defined at [1:1]`},
		{"no YAML", nil, nil, "port: [\n", "rstlab.yaml:1:7: "},

		{"port without target", []string{"-port", "1"}, nil, "", "there is no target: want the command that starts the server"},
		{"tcp without target", []string{"-protocol", "tcp"}, nil, "", `protocol is "tcp" without a target: rstlab's own front speaks http`},
		{"no port", []string{"-target", "x"}, nil, "", "port is 0: want the port on which the target listens, from 1 to 65535"},
		{"files", nil, nil, "target: x\nport: 1\nfiles: {../a: b}\n", `files has "../a": want a file name without a folder`},
		{"protocol", append(target, "-protocol", "udp"), nil, "", `protocol is "udp": want http or tcp`},
		{"send over http", append(target, "-send", "x"), nil, "", "send or expect is set beside protocol http: want protocol tcp, or neither"},
		{"path", append(target, "-path", "x"), nil, "", `path is "x": want one that begins with a slash`},
		{"nothing expected", append(target, "-protocol", "tcp", "-send", "x"), nil, "", "expect is empty with protocol tcp: want the beginning of the server's answer"},
		{"server first, again", append(target, "-protocol", "tcp", "-expect", "x", "-requests", "2"), nil, "", "requests is 2 without send: want 1"},
		{"clients and waves", nil, nil, "clients: 400\narrivals: [{clients: 3}]\n", "clients is 400 beside arrivals: want only one of them"},
		{"gap and waves", nil, nil, "gap: 3s\narrivals: [{clients: 3}]\n", "gap is 3s beside arrivals: want the gap inside the waves"},
		{"no clients", []string{"-clients", "0"}, nil, "", "clients is 0: want at least 1"},
		{"gap", []string{"-gap", "-1s"}, nil, "", "gap is -1s: want zero for all at once, or more"},
		{"wave", nil, nil, "arrivals: [{clients: 0}]\n", "arrivals: wave 0: clients is 0, want at least 1"},
		{"too many", []string{"-clients", "10001"}, nil, "", "there are 10001 clients: want at most 10000, each with descriptors of its own"},
		{"requests", []string{"-requests", "0"}, nil, "", "requests is 0: want at least 1"},
		{"timeout", []string{"-timeout", "0s"}, nil, "", "timeout is 0s: want more than zero"},
		{"patience", []string{"-patience", "0s"}, nil, "", "patience is 0s: want more than zero"},
		{"stall", []string{"-stall", "-1s"}, nil, "", "stall is -1s: want zero or more"},
		{"long stall", []string{"-stall", "4s"}, nil, "", "stall is 4s and timeout 4s: want a timeout that is longer, or every client fails"},
		{"rtt", []string{"-rtt", "1s"}, nil, "", "rtt is 1s: want less than 1s, after which a client repeats its SYN"},
		{"limit", []string{"-max-unanswered", "-1"}, nil, "", "limits: unanswered is -1: want zero or more clients"},
		{"p99", []string{"-max-connect-p99", "-1s"}, nil, "", "limits: connect_p99 is -1s: want zero for any, or more"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := said(t, test.args, test.environ, test.file)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Config() = %v, want %q in it", err, test.want)
			}
		})
	}
}

// A configuration is written with the names under which it is read.
func TestConfigAsJSON(t *testing.T) {
	c := Defaults()
	c.Sysctls, c.Send = map[string]string{"net.core.somaxconn": "16"}, "a\r\n\"b\""
	text, err := json.Marshal(c)
	var back map[string]any
	if err != nil || json.Unmarshal(text, &back) != nil {
		t.Fatalf("Marshal() = %s, %v", text, err)
	}
	if back["stall"] != "500ms" || back["clients"] != 400.0 || back["send"] != c.Send || back["sysctls"].(map[string]any)["net.core.somaxconn"] != "16" {
		t.Errorf("Marshal() = %s", text)
	}
}
