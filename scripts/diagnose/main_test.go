package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gopacket/gopacket/layers"
	"github.com/rstlab/rstlab/netlab/diagnose"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var update = flag.Bool("update", false, "write the golden reports anew")

// command runs the command and gives its exit status and what it wrote.
func command(stdin []byte, args ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = run(args, bytes.NewReader(stdin), &out, &errs)
	return status, out.String(), errs.String()
}

// TestGolden diagnoses captures whose cause is known; testdata/README.md tells how each came
// to be.
func TestGolden(t *testing.T) {
	captures, err := filepath.Glob("testdata/*.gz")
	if err != nil || len(captures) == 0 {
		t.Fatalf("no captures in testdata: %v", err)
	}
	for _, capture := range captures {
		name, _, _ := strings.Cut(capture, ".")
		t.Run(filepath.Base(name), func(t *testing.T) {
			args := []string{capture}
			if _, err := os.Stat(name + ".before"); err == nil {
				args = []string{"-counters", name + ".before," + name + ".after", capture}
			}
			status, got, stderr := command(nil, args...)
			if status != 0 || stderr != "" {
				t.Fatalf("the status is %d, and it said %q", status, stderr)
			}
			if *update {
				if err := os.WriteFile(name+".txt", []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("the report on %s is\n%s\nwant\n%s", capture, got, want)
			}
		})
	}
}

// overflow is a capture with its counters.
const (
	overflow = "testdata/accept-overflow-abort.pcapng.gz"
	before   = "testdata/accept-overflow-abort.before"
	after    = "testdata/accept-overflow-abort.after"
)

// The JSON is that of diagnose.Report, one flow a line.
func TestJSON(t *testing.T) {
	status, stdout, stderr := command(nil, "-json", overflow)
	var r diagnose.Report
	if err := json.Unmarshal([]byte(stdout), &r); status != 0 || stderr != "" || err != nil {
		t.Fatalf("the status is %d, it said %q, and the JSON is broken: %v", status, stderr, err)
	}
	var again strings.Builder
	if err := writeJSON(&again, r); err != nil || again.String() != stdout {
		t.Errorf("the JSON was not that of a report: %v\n%s", err, again.String())
	}
	lines := strings.Split(stdout, "\n")
	reset := slices.IndexFunc(r.Flows, func(f diagnose.Flow) bool { return f.Cause == diagnose.AcceptOverflowAbort })
	if reset < 0 || !strings.Contains(lines[reset+1], `"shape":">S <S. >. <R","first_ns"`) && !strings.Contains(lines[reset+1], `"shape":">S <S. >. >P. <R`) {
		t.Errorf("flow %d is not on a line of its own: %s", reset, lines[reset+1])
	}
}

func TestJSONOfNothing(t *testing.T) {
	status, stdout, _ := command(pcap(t, layers.LinkTypeRaw), "-json", "-")
	var r diagnose.Report
	if err := json.Unmarshal([]byte(stdout), &r); status != 0 || err != nil || !strings.HasPrefix(stdout, `{"flows":[],"summary":{"causes":[],"books":[],`) {
		t.Errorf("the status is %d, %v, and the JSON is %s", status, err, stdout)
	}
}

func TestHTML(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.html")
	status, stdout, stderr := command(nil, "-html", page, "-counters", before+","+after, overflow)
	if status != 0 || stderr != "" || !strings.HasSuffix(stdout, "The page is "+page+"\n") || !strings.Contains(stdout, "went wrong because") {
		t.Errorf("the status is %d, and it said %q and %q", status, stdout, stderr)
	}
	text, err := os.ReadFile(page)
	if err != nil || !bytes.Contains(text, []byte("accept-overflow-abort")) || !bytes.HasPrefix(text, []byte("<!DOCTYPE html>")) {
		t.Errorf("the page is %.200s, %v", text, err)
	}
}

// What is wrong is said in one line, with status 1 for a file and 2 for the command line.
func TestErrors(t *testing.T) {
	folder := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := string(pcap(t, layers.LinkTypeEthernet))
	wifi := string(pcap(t, layers.LinkTypeIEEE802_11))
	netstat := file("netstat", "TcpExt: ListenOverflows\nTcpExt: 1\n")
	for _, c := range []struct {
		name   string
		args   []string
		status int
		want   string // after "diagnose: ", without the folder
	}{
		{"no file", []string{folder + "/none"}, 1, "read the capture: open /none: no such file or directory"},
		{"a folder", []string{folder}, 1, "read : read : is a directory"},
		{"empty", []string{file("empty", "")}, 1, "read /empty: it is empty"},
		{"text", []string{file("text", "hello\n")}, 1, `read /text: it is no capture: it begins with "hell", and neither pcap nor pcapng does`},
		{"one byte", []string{file("byte", "x")}, 1, `read /byte: it is no capture: it begins with "x", and neither pcap nor pcapng does`},
		{"header cut", []string{file("cut", good[:23])}, 1, "read /cut: the header of the capture is cut off: copy the whole file again"},
		{"pcapng header cut", []string{file("cutng", "\x0a\x0d\x0d\x0a\x1c\x00")}, 1, "read /cutng: the header of the capture is cut off: copy the whole file again"},
		{"pcapng header broken", []string{file("badng", "\x0a\x0d\x0d\x0a"+strings.Repeat("x", 60))}, 1, "read /badng: the header of the capture is broken: Wrong byte order value in Section Header"},
		{"gzip header cut", []string{file("cutgz", "\x1f\x8b\x08")}, 1, "read /cutgz: the header of the capture is cut off: copy the whole file again"},
		{"gzip cut", []string{file("cutdata", string(zipped(t, []byte(good))[:12]))}, 1, "read /cutdata: the header of the capture is cut off: copy the whole file again"},
		{"no gzip", []string{file("badgz", "\x1f\x8b"+strings.Repeat("x", 60))}, 1, "read /badgz: it begins like gzip and is none: gzip: invalid header"},
		{"gzip of nothing", []string{file("nogz", string(zipped(t, nil)))}, 1, "read /nogz: it is empty"},
		{"link type", []string{file("wifi", wifi)}, 1, "read /wifi: its link type is 105, and only Ethernet, Linux cooked, loopback and raw IP are read"},
		{"first record broken", []string{file("broken", good+strings.Repeat("\xff", 16))}, 1, "read /broken: the capture is broken: capture length exceeds snap length: 4294967295 > 262144"},
		{"no counters", []string{"-counters", folder + "/none," + after, overflow}, 1, "read the counters: open /none: no such file or directory"},
		{"counters are text", []string{"-counters", before + "," + file("prose", "hello world\n"), overflow}, 1, `the counters in /prose make no sense: line of names "hello world" without a line of values`},
		{"half of the counters", []string{"-counters", netstat + "," + after, overflow}, 1, "/netstat has no counter OutRsts; it takes both files: cat /proc/net/netstat /proc/net/snmp > /netstat"},
		{"counters exchanged", []string{"-counters", after + "," + before, overflow}, 1, "counter EmbryonicRsts went backwards from 16 in " + after + " to 0 in " + before + ": they are exchanged, or of two hosts, or the host was started in between"},
		{"no place for the page", []string{"-html", folder + "/none/page.html", overflow}, 1, "write the page: open /none/page.html: no such file or directory"},

		{"no capture", nil, 2, "there is no capture to read; name a file, or - for standard input (-h tells more)"},
		{"two captures", []string{"a", "b"}, 2, `"b" is one argument too many: one capture, and flags before it`},
		{"a flag behind", []string{"a", "-json"}, 2, `"-json" is one argument too many: one capture, and flags before it`},
		{"both outputs", []string{"-json", "-html", "x", "a"}, 2, "-json and -html exclude each other"},
		{"one file of counters", []string{"-counters", "x", "a"}, 2, `-counters is "x", want two files with a comma between them: -counters before,after`},
		{"three files of counters", []string{"-counters", "x,y,z", "a"}, 2, `-counters is "x,y,z", want two files with a comma between them: -counters before,after`},
		{"an unknown flag", []string{"-xml", "a"}, 2, "flag provided but not defined: -xml"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, stdout, stderr := command(nil, c.args...)
			if got := strings.ReplaceAll(stderr, folder, ""); status != c.status || stdout != "" || got != "diagnose: "+c.want+"\n" {
				t.Errorf("the status is %d, and it said %q and %q, want %d, nothing and %q", status, stdout, got, c.status, c.want)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	status, stdout, stderr := command(nil, "-h")
	if status != 0 || stdout != "" || !strings.HasPrefix(stderr, usage) || !strings.Contains(stderr, "-html file") {
		t.Errorf("the status is %d, and it said %q and %q", status, stdout, stderr)
	}
}
