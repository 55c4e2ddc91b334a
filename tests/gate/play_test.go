package gate_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/diagnose"
	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/rstlab/rstlab/tests/gate"
)

// command is a target that runs this test binary as the sample server.
func command(t *testing.T, c *gate.Config, flags string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c.Target, c.Env, c.Port, c.Dir = self+" "+flags, map[string]string{"RSTLAB_ROLE": sample.Name}, 8080, t.TempDir()
}

// A server whose queue is long enough passes, and one whose queue is too short fails,
// unless that is allowed. How many clients find no room is told by the prediction: on two
// CPUs a SYN may overtake an ACK, and then one more is let in and kept waiting.
func TestPlay(t *testing.T) {
	for _, test := range []struct {
		name   string
		edit   func(*gate.Config)
		passed bool
		late   int // clients whose first SYN is not answered, by prediction
	}{
		{"long enough", func(c *gate.Config) {}, true, 0},
		{"too short", func(c *gate.Config) { c.Sysctls = map[string]string{"net.core.somaxconn": "16"} }, false, 100 - 17},
		{"too short, later", func(c *gate.Config) {
			c.Sysctls = map[string]string{"net.core.somaxconn": "16"}
			c.Clients, c.Arrivals = 0, scenario.Arrivals{{Clients: 100, At: 300 * time.Millisecond}}
		}, false, 100 - 17},
		{"too short, allowed", func(c *gate.Config) {
			c.Sysctls, c.Limits.SYNUnanswered = map[string]string{"net.core.somaxconn": "90"}, 100
		}, true, 9},
		{"IPv6", func(c *gate.Config) { c.IPv6 = true }, true, 0},
		{"waves", func(c *gate.Config) {
			c.Clients, c.Arrivals = 0, scenario.Arrivals{{Clients: 50}, {Clients: 50, At: 100 * time.Millisecond, Gap: time.Millisecond}}
		}, true, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := gate.Defaults()
			c.Clients, c.Stall = 100, 200*time.Millisecond
			command(t, &c, "")
			test.edit(&c)
			r, err := gate.Play(t.Context(), t, c, nil)
			if err != nil {
				t.Fatal(err)
			}
			if r.Passed != test.passed || (r.Figures.SYNUnanswered > 0) != (test.late > 0) || r.Figures.Clients != 100 || r.Figures.Resets+r.Figures.Other != 0 {
				t.Errorf("passed is %v with figures %+v, want %v and SYN-unanswered about %d of 100 clients", r.Passed, r.Figures, test.passed, test.late)
			}
			if got := r.Predicted[scenario.SYNDropped]; got != test.late {
				t.Errorf("predicted are %v, want %d dropped", r.Predicted, test.late)
			}
		})
	}
}

// With a round-trip time the clients come over a wire, and connect in no less than that.
func TestPlayOverAWire(t *testing.T) {
	if err := netlab.TUNAvailable(); err != nil {
		t.Skip(err)
	}
	c := gate.Defaults()
	command(t, &c, "")
	c.Clients, c.Stall, c.RTT = 50, 200*time.Millisecond, 100*time.Millisecond
	c.Limits.ConnectP99 = c.RTT - 1
	r, err := gate.Play(t.Context(), t, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Passed || r.Figures.Served != 50 || r.Figures.ConnectP99 < c.RTT {
		t.Errorf("passed is %v with figures %+v, want 50 served, in at least %v each", r.Passed, r.Figures, c.RTT)
	}
}

// A server that does not speak HTTP is gated in its own words, and what was found is
// written down.
func TestPlayTCP(t *testing.T) {
	c := gate.Defaults()
	command(t, &c, "-how pong")
	c.Clients, c.Stall, c.Protocol, c.Path, c.Send, c.Expect, c.Requests = 50, 100*time.Millisecond, "tcp", "", "PING\r\n", "+PONG\r\n", 3
	r, err := gate.Play(t.Context(), t, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Passed || r.Figures.Served != 50 {
		t.Errorf("passed is %v with figures %+v, want that 50 are served", r.Passed, r.Figures)
	}
	folder := filepath.Join(t.TempDir(), "new")
	if err := r.Save(folder); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"results.json": `"stall": "100ms"`, "page.html": "served 50", "page.md": "served 50", "page.json": `"served": 50`,
		"server.log": "server/gate.test: sample: up\n",
	} {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s has no %q: %v", name, want, err)
		}
	}
}

// Whatever is wrong with a server is said in one sentence.
func TestPlayErrors(t *testing.T) {
	for _, test := range []struct {
		name, flags string
		edit        func(*gate.Config)
		want        []string
	}{
		{"no such command", "", func(c *gate.Config) { c.Target = "./nosuch" }, []string{"ended before it listened on port 8080: exit status 127", "not found"}},
		{"no such folder", "", func(c *gate.Config) { c.Dir = "/nosuch" }, []string{"dir is /nosuch: want a folder"}},
		{"ends at once", "-nosuchflag", nil, []string{"ended before it listened on port 8080: exit status 1", "not defined: -nosuchflag"}},
		{"another port", "-listen :9090", nil, []string{"does not listen on port 8080 after 300ms; listening in the host: [[::]:9090]; ask for one of these ports", "sample: up"}},
		{"too late", "-how mute", nil, []string{"does not listen on port 8080 after 300ms; nothing listens in the host: give it longer, or look why it does not; it printed nothing"}},
		{"loopback", "-listen 127.0.0.1:8080", nil, []string{"listens on 127.0.0.1:8080, which IPv4 clients on another host cannot reach: let it listen on 0.0.0.0:8080"}},
		{"only IPv4", "-network tcp4", func(c *gate.Config) { c.IPv6 = true }, []string{"listens on 0.0.0.0:8080, which IPv6 clients on another host cannot reach: let it listen on [::]:8080"}},
		{"only IPv6", "-network tcp6", nil, []string{"it refuses IPv4, though something listens on port 8080; try the other family, with ipv6"}},
		{"not HTTP", "-how pong", nil, []string{"it does not answer in HTTP", "set protocol tcp, send and expect"}},
		{"another page", "", func(c *gate.Config) { c.Path = "/nosuch" }, []string{"GET /nosuch gives status 404: 404 page not found; set path to one that gives 200"}},
		{"deaf", "-how deaf", nil, []string{"the client was connected and got no answer", "accept queue of [::]:8080: 1 wait"}},
		{"closes its listener", "-how closes", nil, []string{"does not listen any more after its first client", "sample: up"}},
		{"dies of its first client", "-die-after 1", nil, []string{"ended while its first client waited: exit status 7", "sample: out of luck"}},
		{"dies in the burst", "-die-after 2", nil, []string{"ended during the run, when of 20 clients were ", "sample: out of luck"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := gate.Defaults()
			c.Clients, c.Stall, c.Patience, c.Timeout = 20, 100*time.Millisecond, 300*time.Millisecond, time.Second
			command(t, &c, test.flags)
			if test.edit != nil {
				test.edit(&c)
			}
			r, err := gate.Play(t.Context(), t, c, nil)
			if r.Error != fmt.Sprint(err) || r.Passed {
				t.Errorf("the result says %q and passed is %v, want %v", r.Error, r.Passed, err)
			}
			for _, want := range test.want {
				if !strings.Contains(fmt.Sprint(err), want) {
					t.Errorf("Play() = %v, want %q in it", err, want)
				}
			}
		})
	}
}

// A server that answers everybody with 503 fails, by other failures than the gate is about,
// and the page does not say that all is well.
func TestPlayBusy(t *testing.T) {
	c := gate.Defaults()
	c.Clients, c.Stall = 20, 100*time.Millisecond
	command(t, &c, "-how busy")
	r, err := gate.Play(t.Context(), t, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Passed || r.Figures.Other != 20 || len(r.Causes) != 0 || r.Advice != "" {
		t.Errorf("passed is %v with figures %+v, causes %v, advice %q; want 20 other failures and nothing else", r.Passed, r.Figures, r.Causes, r.Advice)
	}
	var page strings.Builder
	if err := r.Markdown(&page); err != nil || !strings.Contains(page.String(), "20 connections went well for TCP, and 1 of 1 run failed") {
		t.Errorf("the page says: %.300s, %v", page.String(), err)
	}
}

// An accept loop that stops after the first client fails everybody else, and the verdict
// says so.
func TestPlayWithoutAcceptLoop(t *testing.T) {
	c := gate.Defaults()
	c.Clients, c.Stall, c.Timeout = 20, 0, time.Second
	command(t, &c, "-how one")
	r, err := gate.Play(t.Context(), t, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Passed || r.Figures.Unanswered != 20 || r.Advice != "" {
		t.Errorf("passed is %v with figures %+v and advice %q, want 20 unanswered and none", r.Passed, r.Figures, r.Advice)
	}
	if len(r.Causes) != 1 || r.Causes[0].Cause != diagnose.NotAnswered || r.Causes[0].Flows != 20 {
		t.Errorf("the causes are %+v, want that 20 were not answered", r.Causes)
	}
}

// nginx asks listen(2) for 511, which is room for 400 clients, unless it is told 16.
func TestPlayNginx(t *testing.T) {
	if _, err := exec.LookPath("nginx"); err != nil {
		t.Skip("nginx is not installed: type `apt install nginx-core`")
	}
	for backlog, limit := range map[string]uint32{"": 511, " backlog=16": 16} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			c := gate.Defaults()
			c.Target, c.Port, c.Dir = "nginx -p $RSTLAB_FILES -c nginx.conf", 8080, t.TempDir()
			c.Files = map[string]string{"nginx.conf": "daemon off; user root; pid nginx.pid; error_log stderr; events {} http { access_log off; server { listen 8080" +
				backlog + "; location / { return 200; } } }"}
			r, err := gate.Play(t.Context(), t, c, nil)
			if err != nil {
				t.Fatal(err)
			}
			if passed := backlog == ""; r.Passed != passed || r.Server.Limits[0] != limit || (r.Figures.SYNUnanswered == 0) != passed {
				t.Errorf("passed is %v with limit %v and %+v, want %v with %d", r.Passed, r.Server.Limits, r.Figures, passed, limit)
			}
		})
	}
}
