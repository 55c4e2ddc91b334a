package gate

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// FileName is the file that [Settings.Config] reads where no other is given.
const FileName = "rstlab.yaml"

// variables is the beginning of the names of the environment variables: -max-resets is
// RSTLAB_GATE_MAX_RESETS.
const variables = "RSTLAB_GATE_"

// Settings are what was said on the command line. Each setting is taken from there, else
// from the environment, else from rstlab.yaml, else from [Defaults].
type Settings struct {
	file  string
	given []setting // in the order of the command line
}

type setting struct{ name, value string }

// NewSettings registers a flag a setting.
func NewSettings(flags *flag.FlagSet) *Settings {
	s := &Settings{}
	flags.StringVar(&s.file, "gate", "", "`file` that says what is gated; without it "+FileName+", if there is one")
	names(new(Config)).VisitAll(func(f *flag.Flag) {
		note := func(value string) error {
			s.given = append(s.given, setting{f.Name, value})
			return nil
		}
		if _, is := f.Value.(flag.Getter).Get().(bool); is {
			flags.BoolFunc(f.Name, "gate: "+f.Usage, note)
		} else {
			flags.Func(f.Name, "gate: "+f.Usage, note)
		}
	})
	return s
}

// names binds the names of the settings to the fields of c.
func names(c *Config) *flag.FlagSet {
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	flags.StringVar(&c.Target, "target", c.Target, "`command` that starts the server, for sh; without it rstlab's own front")
	flags.IntVar(&c.Port, "port", c.Port, "`port` that the server listens on")
	flags.StringVar(&c.Dir, "dir", c.Dir, "`folder` where the command runs")
	flags.Var(pairs{&c.Env}, "env", "`NAME=value` for the server; may be repeated")
	flags.StringVar(&c.Protocol, "protocol", c.Protocol, "http or `tcp`")
	flags.StringVar(&c.Path, "path", c.Path, "`path` of the HTTP request")
	flags.Var(text{&c.Send}, "send", "over tcp, the request, with \\r, \\n and \\x00 as in Go; without it the server speaks first")
	flags.Var(text{&c.Expect}, "expect", "over tcp, how the answer begins")
	flags.BoolVar(&c.IPv6, "ipv6", c.IPv6, "clients come over IPv6")
	flags.IntVar(&c.Clients, "clients", c.Clients, "`number` of clients")
	flags.DurationVar(&c.Gap, "gap", c.Gap, "`time` between two clients; 0 is all at once")
	flags.Var(waves{&c.Arrivals}, "arrivals", "`waves` instead of clients and gap: [{\"clients\":64},{\"clients\":400,\"at\":\"500ms\"}]")
	flags.IntVar(&c.Requests, "requests", c.Requests, "`number` of requests of each client")
	flags.DurationVar(&c.Timeout, "timeout", c.Timeout, "`time` of a client, from its start to its last answer")
	flags.DurationVar(&c.RTT, "rtt", c.RTT, "round-trip `time`")
	flags.DurationVar(&c.Stall, "stall", c.Stall, "`time` that the server is paused while the clients arrive")
	flags.Var(pairs{&c.Sysctls}, "sysctl", "`key=value` on the server's host; may be repeated")
	flags.DurationVar(&c.Patience, "patience", c.Patience, "`time` for the server to listen")
	flags.IntVar(&c.Limits.Resets, "max-resets", c.Limits.Resets, "most `clients` that may be reset")
	flags.IntVar(&c.Limits.SYNUnanswered, "max-syn-unanswered", c.Limits.SYNUnanswered, "most `clients` whose first SYN may be unanswered")
	flags.IntVar(&c.Limits.Unanswered, "max-unanswered", c.Limits.Unanswered, "most connected `clients` that may get no answer")
	flags.DurationVar(&c.Limits.ConnectP99, "max-connect-p99", c.Limits.ConnectP99, "slowest connect of 99 % of the clients; 0 is any")
	return flags
}

// unsaid is a number of clients that nobody can ask for.
const unsaid = math.MinInt

// Config reads the file and the environment, and puts what was said on the command line
// above them. Relative folders count from base, those in the file from the file's folder.
func (s *Settings) Config(base string, environ []string) (Config, error) {
	c := Defaults()
	c.Clients = unsaid
	fromEnvironment, err := environment(environ)
	if err != nil {
		return c, err
	}
	if err := s.read(&c, base, fromEnvironment["gate"]); err != nil {
		return c, err
	}
	flags := names(&c)
	for _, name := range sortedNames(flags) {
		if value, ok := fromEnvironment[name]; ok {
			for _, line := range lines(flags.Lookup(name), value) {
				if err := set(flags, name, line, variable(name)); err != nil {
					return c, err
				}
			}
		}
	}
	for _, given := range s.given {
		if err := set(flags, given.name, given.value, "-"+given.name); err != nil {
			return c, err
		}
	}
	switch {
	case c.Clients != unsaid:
	case c.Arrivals != nil:
		c.Clients = 0
	default:
		c.Clients = Defaults().Clients
	}
	c.root(base)
	return c, c.Validate()
}

// read takes the file that was asked for, or rstlab.yaml if there is one.
func (s *Settings) read(c *Config, base, fromEnvironment string) error {
	asked := cmp.Or(s.file, fromEnvironment)
	path := cmp.Or(asked, FileName)
	if !filepath.IsAbs(path) {
		path = filepath.Join(base, path)
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && asked == "" {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read what is gated: %w", err)
	}
	if err := c.decode(text); err != nil {
		return fmt.Errorf("%s%w", path, err)
	}
	c.root(filepath.Dir(path))
	return nil
}

// root makes the server's folder absolute, if there is a server.
func (c *Config) root(folder string) {
	if (c.Target != "" || c.Dir != "") && !filepath.IsAbs(c.Dir) {
		c.Dir = filepath.Join(folder, c.Dir)
	}
}

// environment gives the values by the names of the settings.
func environment(environ []string) (map[string]string, error) {
	known := append(sortedNames(names(new(Config))), "gate")
	values := map[string]string{}
	for _, entry := range environ {
		key, value, _ := strings.Cut(entry, "=")
		rest, ours := strings.CutPrefix(key, variables)
		name := strings.ReplaceAll(strings.ToLower(rest), "_", "-")
		if key == strings.TrimSuffix(variables, "_") {
			name, ours = "gate", true
		}
		switch {
		case !ours || value == "": // an input that was left out comes as an empty variable
		case !slices.Contains(known, name):
			return nil, fmt.Errorf("the environment has %s, which is no setting: want %s and one of %s in capitals", key, variables, strings.Join(known, ", "))
		default:
			values[name] = value
		}
	}
	return values, nil
}

func variable(name string) string {
	return variables + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

func sortedNames(flags *flag.FlagSet) (all []string) {
	flags.VisitAll(func(f *flag.Flag) { all = append(all, f.Name) })
	return all
}

// lines are the values of a setting that may be repeated, and the one of any other.
func lines(f *flag.Flag, value string) []string {
	if _, repeated := f.Value.(pairs); !repeated {
		return []string{value}
	}
	return strings.FieldsFunc(value, func(r rune) bool { return r == '\n' })
}

// set says in one sentence which value is wrong and what is wanted.
func set(flags *flag.FlagSet, name, value, where string) error {
	err := flags.Set(name, value)
	if _, is := flags.Lookup(name).Value.(waves); is && err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	if err != nil {
		return fmt.Errorf("%s is %q: want %s", where, value, kindOf(flags.Lookup(name)))
	}
	return nil
}

func kindOf(f *flag.Flag) string {
	switch f.Value.(flag.Getter).Get().(type) {
	case int:
		return "a whole number"
	case bool:
		return "true or false"
	case map[string]string:
		return "a name, an equals sign and a value"
	case string:
		return `text, in which a backslash begins an escape such as \n, \x00 or \\`
	}
	return "a duration such as 500ms"
}
