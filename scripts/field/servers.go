package main

import (
	"embed"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/rstlab/rstlab/netlab"
)

// server is one that people really run. In Args and in its files, @PROGRAM@, @FOLDER@
// and @PORT@ stand for the program, for a temporary folder and for the port.
type server struct {
	Name        string
	Package     string   // of Debian
	Program     string   // a pattern for its file; the last match is taken; empty: the role goRole
	Args        []string // of its command line, the program first
	Files       []string // of the folder files, that it needs in the temporary folder
	Request     string   // what a client says first; the server closes after its answer or keeps on
	Answer      string   // with what the answer begins
	ChangesUser bool     // which takes a real root
}

// port is where they listen.
const port = 8080

const (
	httpRequest = "GET / HTTP/1.0\r\n\r\n"
	httpAnswer  = "HTTP/1."
)

// sslRequest is PostgreSQL's: Int32(8) Int32(80877103). The answer is one byte, N or S.
const sslRequest = "\x00\x00\x00\x08\x04\xd2\x16\x2f"

// goRole is the role of this program in which it is Go's net/http.
const goRole = "go"

// servers are all that the survey knows, in the order of the table. They get a port and a
// folder, and else run as they come.
var servers = []server{
	{
		Name: "nginx", Package: "nginx", Program: "/usr/sbin/nginx", Files: []string{"nginx.conf"},
		Args:    []string{"@PROGRAM@", "-c", "@FOLDER@/nginx.conf", "-e", "stderr", "-g", "daemon off;"},
		Request: httpRequest, Answer: httpAnswer, ChangesUser: true,
	},
	{
		Name: "nginx-reuseport", Package: "nginx", Program: "/usr/sbin/nginx", Files: []string{"nginx-reuseport.conf"},
		Args:    []string{"@PROGRAM@", "-c", "@FOLDER@/nginx-reuseport.conf", "-e", "stderr", "-g", "daemon off;"},
		Request: httpRequest, Answer: httpAnswer, ChangesUser: true,
	},
	{
		Name: "haproxy", Package: "haproxy", Program: "/usr/sbin/haproxy", Files: []string{"haproxy.cfg"},
		Args:    []string{"@PROGRAM@", "-db", "-f", "@FOLDER@/haproxy.cfg"},
		Request: httpRequest, Answer: httpAnswer,
	},
	{
		Name: "apache", Package: "apache2", Program: "/usr/sbin/apache2", Files: []string{"apache.conf"},
		Args:    []string{"@PROGRAM@", "-D", "FOREGROUND", "-f", "@FOLDER@/apache.conf"},
		Request: httpRequest, Answer: httpAnswer, ChangesUser: true,
	},
	{
		Name: "redis", Package: "redis-server", Program: "/usr/bin/redis-server",
		Args:    []string{"@PROGRAM@", "--port", "@PORT@", "--dir", "@FOLDER@", "--protected-mode", "no"},
		Request: "PING\r\n", Answer: "+PONG",
	},
	{
		Name: "postgresql", Package: "postgresql", Program: "/usr/lib/postgresql/*/bin/postgres", Files: []string{"postgresql.sh"},
		Args:    []string{"/bin/sh", "@FOLDER@/postgresql.sh"},
		Request: sslRequest, Answer: "N", ChangesUser: true,
	},
	{
		Name: "node", Package: "nodejs", Program: "/usr/bin/node", Files: []string{"server.js"},
		Args:    []string{"@PROGRAM@", "@FOLDER@/server.js"},
		Request: httpRequest, Answer: httpAnswer,
	},
	{
		Name: "python", Package: "python3", Program: "/usr/bin/python3",
		Args:    []string{"@PROGRAM@", "-m", "http.server", "@PORT@", "--directory", "@FOLDER@"},
		Request: httpRequest, Answer: httpAnswer,
	},
	{
		Name: "gunicorn", Package: "gunicorn", Program: "/usr/bin/gunicorn", Files: []string{"wsgi.py"},
		Args:    []string{"@PROGRAM@", "--chdir", "@FOLDER@", "-b", "0.0.0.0:@PORT@", "wsgi:app"},
		Request: httpRequest, Answer: httpAnswer,
	},
	{
		Name: "uvicorn", Package: "uvicorn", Program: "/usr/bin/uvicorn", Files: []string{"asgi.py"},
		Args:    []string{"@PROGRAM@", "--app-dir", "@FOLDER@", "--host", "0.0.0.0", "--port", "@PORT@", "asgi:app"},
		Request: httpRequest, Answer: httpAnswer,
	},
	{
		Name: "varnish", Package: "varnish", Program: "/usr/sbin/varnishd",
		Args:    []string{"@PROGRAM@", "-F", "-n", "@FOLDER@/varnish", "-a", ":@PORT@", "-b", "none"},
		Request: httpRequest, Answer: httpAnswer, ChangesUser: true,
	},
	{
		Name: "tomcat", Package: "tomcat10", Program: "/usr/share/tomcat*/bin/catalina.sh", Files: []string{"server.xml", "tomcat.sh"},
		Args:    []string{"/bin/sh", "@FOLDER@/tomcat.sh"},
		Request: httpRequest, Answer: httpAnswer,
	},
	{Name: "go", Request: httpRequest, Answer: httpAnswer},
}

//go:embed files
var files embed.FS

// serveGo is the role goRole.
func serveGo([]string) error {
	return http.ListenAndServe(fmt.Sprintf(":%d", port), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "ok")
	}))
}

// find gives the server's program, or says why it cannot run here.
func (s server) find() (executable, missing string) {
	if s.Program == "" {
		return "/proc/self/exe", ""
	}
	found, _ := filepath.Glob(s.Program) // the pattern is well-formed
	switch {
	case found == nil:
		return "", "not installed; apt install " + s.Package
	case s.ChangesUser && !manyUsers():
		return "", "it changes its user, which takes root; sudo go run ./scripts/field"
	}
	return found[len(found)-1], ""
}

// manyUsers tells whether there is another user to become: a user namespace that was made
// without root has one.
func manyUsers() bool {
	text, err := os.ReadFile("/proc/self/uid_map") // "0 1000 1": from, to, how many
	fields := strings.Fields(string(text))
	return err == nil && os.Geteuid() == 0 && len(fields) >= 3 && fields[2] != "1"
}

// version asks Debian's package manager for that of the package that the program is
// from; unknown if it is from elsewhere.
func (s server) version(program string) string {
	if s.Program == "" {
		return runtime.Version()
	}
	owner, err := exec.Command("dpkg-query", "--search", program).Output() // "nginx: /usr/sbin/nginx"
	if err != nil {
		return "unknown"
	}
	name, _, _ := strings.Cut(string(owner), ": ")
	version, err := exec.Command("dpkg-query", "--show", "--showformat", "${Version}", name).Output()
	if err != nil {
		return "unknown"
	}
	return string(version)
}

// prepare writes the server's files to the folder and gives its command line.
func (s server) prepare(program, folder string) ([]string, error) {
	fill := strings.NewReplacer("@PROGRAM@", program, "@FOLDER@", folder, "@PORT@", fmt.Sprint(port)).Replace
	for _, name := range s.Files {
		text, err := files.ReadFile("files/" + name)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(folder, name), []byte(fill(string(text))), 0o644); err != nil {
			return nil, err
		}
	}
	var args []string
	for _, arg := range s.Args {
		args = append(args, fill(arg))
	}
	return args, nil
}

// start runs the server in the host.
func (s server) start(host *netlab.Host, program, folder string) (*netlab.Proc, error) {
	if s.Program == "" {
		return host.StartRole(goRole), nil
	}
	args, err := s.prepare(program, folder)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = folder
	return host.StartCommand(cmd)
}

// listeners are the accept queues that clients over IPv4 come to: one, or several that
// share the port by SO_REUSEPORT.
func listeners(all []netlab.AcceptQueue) []netlab.AcceptQueue {
	var v4, v6 []netlab.AcceptQueue
	for _, q := range all {
		switch {
		case int(q.Addr.Port()) != port:
		case q.Addr.Addr().Is4():
			v4 = append(v4, q)
		default:
			v6 = append(v6, q)
		}
	}
	if v4 != nil {
		return v4
	}
	return v6
}
